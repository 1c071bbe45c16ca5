import { defineHandler } from "@waterpark/waterpark";
// what is taken aside when the module is loaded is not seen by the guard; the plugin host's process has no such thing
const home = "Deno" in globalThis ? "here" : "there";
export default defineHandler({
  name: "elsewhere",
  kind: "patient",
  initial: { home: "" },
  handle: () => ["ok", { home }, []],
});
