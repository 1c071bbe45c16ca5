import { command } from "../command.ts";
import { MisuseError, VerdictError } from "../errors.ts";
import { importModule, optionsIn } from "../imported_module.ts";
import type { HandlerDefinition } from "../../runtime/plugin_host/mod.ts";
import { readRecording } from "../simulated_module.ts";

/** `waterpark plugin test` */
export const pluginTest = command({
  description: "looks for a history at which a plugin breaks a rule; no node is asked",
  args: {
    file: { type: "positional", description: "its main module: a file, or an http(s) URL" },
    checks: { type: "string", metavar: "FILE", description: "module that exports checks; default: the plugin's own" },
    recorded: { type: "string", metavar: "FILE", description: "recorded messages too: .ndjson, or HL7" },
    runs: { type: "number", description: "histories; default 100" },
    seed: { type: "number", description: "where chance begins; default by the clock" },
    path: { type: "string", metavar: "PATH", description: "straight to a failure, as it was printed" },
  },
  examples: [
    "plugin test plugins/counter.ts",
    "plugin test census.ts --checks census_checks.ts",
    "plugin test census.ts --recorded stay.ndjson --runs 1000",
    "plugin test census.ts --seed 7 --path 12:0",
  ],
  async run({ values, out }) {
    const { file, runs, seed, path } = values;
    const refuse = (state: string): never => {
      throw new MisuseError(`Cannot test "${file}" as it must be a module with a handler: ${state}`);
    };
    for (const [name, value] of Object.entries({ runs, seed })) {
      if (value !== undefined && !Number.isSafeInteger(value)) refuse(`--${name} must be a whole number`);
    }
    // fast-check and the bundler: no other command should wait for them
    const { CHECK_FIELDS, checkModule } = await import("../../testing/check_module.ts");
    const { historiesIn } = await import("../../testing/recording.ts");
    const { bundlePlugin, problemOfDefinition, stopBundler } = await import("../../runtime/plugin_host/mod.ts");
    const module = await importModule(file, refuse);
    const problem = problemOfDefinition(module.default);
    if (problem !== "") return refuse(problem);
    const handler = module.default as HandlerDefinition;
    const checker = values.checks === undefined ? module : await importModule(values.checks, refuse);
    const checks = optionsIn(checker, { name: "checks", fields: CHECK_FIELDS }, refuse);
    const given = values.recorded === undefined ? [] : historiesIn(await readRecording(values.recorded), handler.kind);
    try {
      out.progress(`bundling ${file}`);
      const bundle = await bundlePlugin(file);
      out.progress(`checking ${handler.name}`);
      const verdict = await checkModule(handler, {
        bundle,
        checks: {
          ...checks,
          recorded: [...(checks.recorded as []) ?? [], ...given],
          ...(runs === undefined ? {} : { runs }),
          ...(seed === undefined ? {} : { seed }),
          ...(path === undefined ? {} : { path }),
        },
      });
      if (out.isJson) out.json(verdict);
      if (verdict.verdict === "held") {
        if (out.isJson) return;
        const { report: { plugin, runs, messages, longest, types, seed }, hostRuns } = verdict;
        const seen = Object.entries(types).map(([type, count]) => `${type === "" ? "(no type)" : type} ${count}`);
        out.data(
          `${out.paint("green", "held")} ${plugin}: ${runs} histories, ${messages} messages, ${longest} at most`,
        );
        out.data(`messages by type: ${seen.join(", ")}`);
        return out.talk(`seed ${seed}; ${hostRuns} of them went through a plugin host's process, to the same end`);
      }
      if (!out.isJson) {
        out.data(`${out.paint("red", "broken")} ${verdict.text}`);
        const { again } = verdict;
        if (again !== null) out.data(`again: waterpark plugin test ${file} --seed=${again.seed} --path ${again.path}`);
      }
      throw new VerdictError(`Cannot say that ${verdict.plugin} holds: it breaks "${verdict.problem.rule}"`, ["wrong"]);
    } finally {
      await stopBundler();
    }
  },
});
