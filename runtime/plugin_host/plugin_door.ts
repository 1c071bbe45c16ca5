/** What `@waterpark/waterpark` is to plugins that touch the outside. */
export * from "./sdk.ts";
export * from "./channel.ts";
export * from "./io_sdk.ts";
