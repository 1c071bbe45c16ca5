/**
 * Loaded before the random tests that look at a broken tree: other cases every round, and no shrinking, since it is
 * enough to know that a case fails.
 */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(Deno.env.get("WATERPARK_CASES") ?? "1"), endOnFailure: true });
