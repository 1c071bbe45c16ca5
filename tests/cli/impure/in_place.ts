import { defineHandler } from "@waterpark/waterpark";
export default defineHandler({
  name: "in_place",
  kind: "patient",
  initial: { types: [] as string[] },
  handle(_key, kept, message) {
    kept.types.push(message.type);
    return ["ok", { types: kept.types.slice(-3) }, []];
  },
});
