import { defineHandler } from "@waterpark/waterpark";
export default defineHandler({
  name: "clock",
  kind: "patient",
  initial: { at: 0 },
  handle: () => ["ok", { at: Date.now() }, []],
});
