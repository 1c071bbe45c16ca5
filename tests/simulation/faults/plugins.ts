/** Plugins: new versions in mid-message, some of them broken, roll-backs, hosts that die. */
import type { PluginStage } from "../../../runtime/topology/mod.ts";
import type { Fault } from "./ground.ts";

/** Where versions are to be broken there must be some, ms. */
const BROKEN_EVERY_MS = 3000;
/** A sound version that began as dark or a canary goes live after so long, ms. */
const PROMOTED_AFTER_MS = 700;

/** How versions begin, in turn; what is not live goes live with the stage's next turn, unless another one comes first. */
const STAGES: PluginStage[] = ["live", "canary", "live", "dark"];

/** A new version of `chain`, live, canary or dark; a broken one throws at some messages, or takes its host along. */
export const deploys: Fault = {
  name: "deploys",
  everyMs: ({ deployEveryMs, brokenVersionRate }) =>
    deployEveryMs === 0 && brokenVersionRate > 0 ? BROKEN_EVERY_MS : deployEveryMs,
  strike(ground) {
    const { cluster, random } = ground;
    const { brokenVersionRate } = cluster.options;
    const isBroken = brokenVersionRate > 0 && random.next() < brokenVersionRate;
    const kills = isBroken && random.next() < 0.5;
    const stage = STAGES[cluster.journal.versions.length % STAGES.length];
    cluster.deploy("chain", { throws: isBroken && !kills, kills }, stage);
    if (stage === "live" || isBroken) return;
    const word = { by: "simulation", atMs: 0 };
    const node = ground.anyNode();
    cluster.time.after(
      PROMOTED_AFTER_MS,
      () => cluster.call(node, () => node.core.directory.command({ type: "promote", name: "chain", word }, () => {})),
    );
  },
};

/** The version that was live before is live again. */
export const rollbacks: Fault = {
  name: "rollbacks",
  everyMs: (options) => options.rollbackEveryMs,
  strike(ground) {
    const node = ground.anyNode();
    ground.trace("rollback", node.name);
    ground.cluster.call(node, () => node.core.directory.command({ type: "rollback", name: "chain" }, () => {}));
  },
};

/** A plugin host ends with all its calls open. */
export const hostCrashes: Fault = {
  name: "host-crashes",
  everyMs: (options) => options.hostCrashEveryMs,
  strike(ground) {
    const node = ground.anyNode();
    ground.trace("host-dies", node.name);
    ground.cluster.call(node, () => node.host.crash());
  },
};
