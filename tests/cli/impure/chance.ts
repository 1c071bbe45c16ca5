import { defineHandler } from "@waterpark/waterpark";
export default defineHandler({
  name: "chance",
  kind: "patient",
  initial: { n: 0 },
  handle: () => ["ok", { n: Math.random() }, []],
});
