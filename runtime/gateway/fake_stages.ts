import type { PluginView } from "./service.ts";
import type { StagesService, SwitchView } from "./stages.ts";

/** Stages of plugins about which there is nothing to say, and switches in a Map. */
export function fakeStages(asked: string[], viewOf: (name: string) => PluginView): StagesService {
  const switches = new Map<string, SwitchView>();
  const counts = {
    projection: 0,
    "effects-missing": 0,
    "effects-added": 0,
    "effects-changed": 1,
    "parked-by-new": 0,
    "parked-by-old": 0,
  };
  return {
    inspect(name) {
      const detail = { versions: [], history: [], folding: [], parkedEverywhere: 0, silent: [] };
      return Promise.resolve({ ...viewOf(name), ...detail });
    },
    diff(name) {
      const [old, fresh] = [{ version: 1, hash: "a" }, { version: 2, hash: "b" }];
      const sums = { compared: 2, equal: 1, skipped: 0, actors: 1, counts, paths: {}, blocking: 1 };
      const examples = [{ kind: "effects-changed" as const, key: "patient/H/1", seq: 2, what: "send" }];
      return Promise.resolve({ name, diffs: [{ old, new: fresh, ...sums, examples }], silent: [] });
    },
    promote(name, options = {}) {
      asked.push(`promote ${name} ${JSON.stringify(options)}`);
      return Promise.resolve(viewOf(name));
    },
    rollback(name, { reason } = {}) {
      asked.push(`rollback ${name}${reason === undefined ? "" : `: ${reason}`}`);
      return Promise.resolve(viewOf(name));
    },
    everywhereAfterMs: () => 0,
    setEverywhereAfter(ms) {
      asked.push(`everywhere after ${ms}`);
      return Promise.resolve();
    },
    switches: () => [...switches.values()],
    setSwitch(name, on, by = "unknown") {
      const history = [...switches.get(name)?.history ?? [], { on, by, at: 1 }];
      switches.set(name, { name, on, history });
      return Promise.resolve(switches.get(name)!);
    },
  };
}
