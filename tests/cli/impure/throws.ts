import { defineHandler } from "@waterpark/waterpark";
export default defineHandler({
  name: "throws",
  kind: "patient",
  initial: { ward: "" },
  handle: (_key, _kept, message) => ["ok", { ward: message.body.ward.trim() }, []],
});
