import { simulate } from "./tests/simulation/simulate.ts";
import { SimulatedCluster } from "./tests/simulation/cluster.ts";
let cl: SimulatedCluster;
const orig = SimulatedCluster.prototype.start;
SimulatedCluster.prototype.start = function () { cl = this; return orig.call(this); };
const [seed, shard] = Deno.args.map(Number);
const r = simulate(seed);
console.log(r.verdict, r.findings);
for (const n of cl!.living()) {
  const st = n.core.replication.stateOf(shard);
  const d = (globalThis as any);
  console.log(n.name, n.core.self.incarnation, st && JSON.stringify({role: st.role, term: st.term, voted: st.votedFor, writer: st.writer, susp: n.core.isSuspect(st.writer), commit: st.commit, last: st.store.lastIndex, lastTerm: st.store.lastTerm, ho: st.handOverTo, camp: st.campaignAtMs, rounds: st.electionRounds, now: cl!.time.nowMs, conf: st.configurations, desired: st.desired, settling: st.settling}), n.core.replication.counts());
}
