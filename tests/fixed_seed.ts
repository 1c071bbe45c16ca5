/**
 * Loaded before every test that `deno task test` runs: properties draw the same cases each time, so that a change is
 * judged by itself and not by luck. Who runs `deno test` directly gets fresh cases.
 */
import fc from "fast-check";

fc.configureGlobal({ seed: 20_181_107 });
