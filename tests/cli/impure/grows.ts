import { defineHandler } from "@waterpark/waterpark";
export default defineHandler({
  name: "grows",
  kind: "patient",
  initial: { ids: [] as string[] },
  handle: (_key, { ids }, message) => ["ok", { ids: [...ids, `${message.id} ${message.type}`] }, []],
});
