/** A child of a series: simulates what it is told, a line of JSON for each seed, until there is nothing more. */
import { linesOf, runTask, type SeriesTask } from "./series.ts";

if (import.meta.main) {
  for await (const line of linesOf(Deno.stdin.readable)) {
    console.log(JSON.stringify(runTask(JSON.parse(line) as SeriesTask)));
  }
}
