import { defineHandler, type HandlerResult } from "@waterpark/waterpark";
export default defineHandler({
  name: "asynchronous",
  kind: "patient",
  initial: 0,
  handle: (_key, kept) => Promise.resolve(["ok", kept, []]) as unknown as HandlerResult<number>,
});
