/**
 * What three copies of a fake node's one process would say to an audit.
 */
import type { AuditReceipt, AuditVerdict, CopiesVerdict } from "./audit_views.ts";
import type { NodeService, Receipt } from "./service.ts";

const NODES = ["FL-A-1", "TN-A-1", "TX-A-1"];
const NEEDED = { copies: 3, dataCenters: 2 };
/** The one shard of the set S05 that has something in it. */
const FULL = 17;

/** Proven where the receipt that was kept is the one audited, else lost; one copy has other bytes where digests differ. */
export function fakeVerdict({ shard, index, seq, digest }: AuditReceipt, kept: Receipt | undefined): AuditVerdict {
  const verdict = { shard, index, seq, needed: NEEDED, copies: [], missing: [], differing: [], unreachable: [] };
  if (kept === undefined) return { ...verdict, state: "lost", missing: NODES };
  if (kept.digest === digest) return { ...verdict, state: "proven", copies: NODES };
  const place = { index: kept.index, seq: kept.seq, digest: kept.digest };
  return { ...verdict, state: "differs", differing: [{ node: "TX-A-1", what: "digest", ...place }] };
}

/** A page of the 64 shards of S05, all of which agree but the full one, which is as it is told to be. */
export function fakePage(
  full: { state: CopiesVerdict["state"]; actors: number; messages: number },
  { after, limit = 32, withKeys = false }: Parameters<NodeService["auditCopies"]>[0] = {},
): { shards: CopiesVerdict[]; next: string | null } {
  const first = after === undefined ? 0 : Number(after.slice(-3)) + 1;
  const copy = { generation: 1, term: 3, commit: 9, last: 9, stands: true, digest: "00000000000000ab", damaged: null };
  const name = (shard: number) => `S05/${String(shard).padStart(3, "0")}`;
  const shards = Array.from({ length: Math.min(64 - first, limit) }, (_, i): CopiesVerdict => {
    const differs = first + i === FULL && full.state !== "agree";
    return {
      shard: name(first + i),
      needed: NEEDED,
      upTo: 9,
      ...(first + i === FULL ? full : { state: "agree", actors: 0, messages: 0 }),
      copies: NODES.map((node) => ({ node, ...copy })),
      unreachable: [],
      differing: !differs ? [] : [{
        at: `${name(FULL)}#4`,
        ...(withKeys ? { key: "patient/HOSPX/1001" } : {}),
        copies: [{ node: "FL-A-1", seq: 1, chain: "00000000000000aa" }, { node: "TN-A-1", seq: 0, chain: "" }],
      }],
      differingCount: differs ? 1 : 0,
    };
  });
  const end = first + shards.length;
  return { shards, next: end < 64 ? name(end - 1) : null };
}
