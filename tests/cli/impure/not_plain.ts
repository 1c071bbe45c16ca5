import { defineHandler } from "@waterpark/waterpark";
export default defineHandler({
  name: "not_plain",
  kind: "patient",
  initial: { types: null as Set<string> | null },
  handle: (_key, _kept, message) => ["ok", { types: new Set([message.type]) }, []],
});
