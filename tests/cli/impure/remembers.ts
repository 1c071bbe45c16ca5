import { defineHandler } from "@waterpark/waterpark";
let first = "";
export default defineHandler({
  name: "remembers",
  kind: "patient",
  initial: { first },
  handle: (_key, _kept, message) => ["ok", { first: first ||= message.type }, []],
});
