import { defineHandler } from "@waterpark/waterpark";
let calls = 0;
export default defineHandler({
  name: "module_state",
  kind: "patient",
  initial: { calls },
  handle: () => ["ok", { calls: ++calls }, []],
});
