import { command } from "../command.ts";
import { MisuseError, VerdictError } from "../errors.ts";
import { readRecording, readSimulatedModule } from "../simulated_module.ts";

/** `waterpark sim` */
export const sim = command({
  description: "simulates whole clusters, with your plugin and everything that may fail; no node is asked",
  args: {
    plugin: { type: "string", metavar: "FILE", description: "module with a handler, or several, as its default" },
    messages: { type: "string", metavar: "FILE", description: "recorded messages: .ndjson, or HL7; else made up" },
    seed: { type: "number", default: 1, description: "the first seed; everything follows from it" },
    seeds: { type: "number", default: 1, description: "how many" },
    nodes: { type: "number", default: 8, description: "nodes of the cluster, 3 to 32" },
    trace: { type: "boolean", default: false, description: "every event a line" },
  },
  examples: ["sim --seeds 20", "sim --plugin plugins/census.ts --seeds 200", "sim --plugin census.ts --seed 7 --trace"],
  async run({ values, out }) {
    const { seed, seeds, nodes } = values;
    if (![seed, seeds, nodes].every((n) => Number.isSafeInteger(n) && n >= 0)) {
      throw new MisuseError("Cannot simulate as --seed, --seeds and --nodes must be whole numbers");
    }
    // fast-check and the whole simulator: no other command should wait for them
    const { simulationOf, told } = await import("../../testing/simulate.ts");
    const { plugins, plan } = await readSimulatedModule(values.plugin);
    const recorded = values.messages === undefined ? plan.recorded : await readRecording(values.messages);
    const messages = values.messages === undefined ? plan.messages : undefined;
    const trace = values.trace ? (line: string) => out.data(line) : undefined;
    const run = asMisuse(() => simulationOf({ ...plan, plugins, nodes, recorded, messages, trace }));

    const failed = new Map<string, number>();
    for (let each = seed; each < seed + seeds; each++) {
      out.progress(`seed ${each} (${each - seed + 1} of ${seeds})`);
      const again = commandLine({ ...values, seed: each });
      const result = run(each, again);
      const { verdict, sent, acknowledged, virtualMs, findings } = result;
      if (verdict !== "held") failed.set(verdict, (failed.get(verdict) ?? 0) + 1);
      if (out.isJson) {
        out.json({ seed: each, verdict, sent, acknowledged, virtualMs, findings });
        continue;
      }
      const seconds = `${(virtualMs / 1000).toFixed(1)} s simulated`;
      const painted = out.paint(verdict === "held" ? "green" : "red", verdict);
      out.data(`seed ${each}  ${painted}  ${acknowledged} of ${sent} acknowledged  ${seconds}`);
      if (verdict !== "held") out.data([...told(result), `again: ${again}`].join("\n").replaceAll(/^(?=.)/gm, "  "));
    }
    if (failed.size === 0) return;
    const state = [...failed].map(([verdict, count]) => `${count} ${verdict}`).join(", ");
    throw new VerdictError(`Cannot say that it held as all seeds must: of ${seeds}, ${state}`, [...failed.keys()]);
  },
});

/** The command line that repeats one seed. */
function commandLine(values: { plugin?: string; messages?: string; seed: number; nodes: number }): string {
  const { plugin, messages, seed, nodes } = values;
  const flags = [
    plugin === undefined ? "" : `--plugin ${plugin} `,
    messages === undefined ? "" : `--messages ${messages} `,
    `--seed ${seed} --nodes ${nodes}`,
  ];
  return `waterpark sim ${flags.join("")}`;
}

/** What the options are wrong with is the command line's fault. */
function asMisuse<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof TypeError) throw new MisuseError(error.message);
    throw error;
  }
}
