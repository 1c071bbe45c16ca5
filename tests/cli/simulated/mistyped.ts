export { default } from "../../../plugins/census.ts";
export const simulation = { invariant: {} };
