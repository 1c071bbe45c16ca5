import { MUTANTS } from "./breakages/mod.ts";
import { look } from "./looking.ts";
import { oneShard } from "./mutant.ts";
import { TreeCopy } from "./tree.ts";
const names = Deno.args.slice(1);
const tree = await TreeCopy.make();
for (const m of MUTANTS) {
  if (names.length && !names.includes(m.name)) continue;
  if (!m.file.startsWith("runtime/replication") && !m.file.startsWith("runtime/storage")) continue;
  const t = performance.now();
  try {
    const c = await tree.broken(m, () => look(tree.path, oneShard(Number(Deno.args[0]))));
    console.log(
      m.name.padEnd(36),
      ((performance.now() - t) / 1000).toFixed(1),
      c === null ? "NOT" : `${c.by} ${c.seeds} ${c.finding}`,
    );
  } catch (e) {
    console.log(m.name, "ERR", String(e));
  }
}
await tree.remove();
