/**
 * The topology's state machine: the same commands in the same order give the same state on every node.
 *
 * Total: any value is a command that is applied or refused, nothing is thrown. Deterministic: no clock, no chance, no
 * order of a hash table. States are immutable; what a command does not touch is shared with the state before it, which is
 * how `Topology` sees at a glance what it may keep.
 */
import { assert } from "../base/mod.ts";
import { accepted, type Change, type CommandAnswer, type Refused, refused } from "./change.ts";
import { readCommand, type TopologyCommand } from "./command.ts";
import { absent, birth, drain, join, present, remove } from "./apply_nodes.ts";
import { protocolInForce, sinceOf } from "./protocol.ts";
import { deploy, promote, removePlugin, rollback } from "./apply_plugins.ts";
import { isUsed, setOfFacility, SHARDS_PER_SET, shardText } from "./shard.ts";
import { DEEDS_MAX, FACILITIES_MAX, SETTINGS_MAX, type SwitchDeed, SWITCHES_MAX, type TopologyState } from "./state.ts";

/** More versions than a system shard that was cut off can have made before it is found again. */
const VERSION_LEAP = 2 ** 18;

/** A command's answer and the state after it: the very same object when nothing changed. */
export interface Applied {
  /** the state after the command */
  state: TopologyState;
  /** what came of it */
  answer: CommandAnswer;
}

/**
 * Applies one command. Every command that changes something raises the version by one; one that asks for what is so
 * already (a node that joins twice, a report of an absence that is known) is answered `ok` with `changed: false` and leaves
 * the version, so that commands may be repeated freely.
 *
 * @param state a state that this function, or `emptyState`, has made
 * @param command any value: hostile ones are answered `topology/bad-command`
 *
 * @example
 * ```ts
 * import { applyCommand } from "./apply.ts";
 * import { emptyState } from "./state.ts";
 * const { state } = applyCommand(emptyState(), { type: "create", clusterId: "demo", copies: 5, expect: 1 });
 * const node = { name: "TN-A-1", incarnation: 7, address: "127.0.0.1:4600", http: null, mllp: null };
 * const { answer, state: born } = applyCommand(state, { type: "join", node });
 * if (!answer.ok || born.born?.members[0][0] !== 7) throw new Error("unreachable");
 * ```
 */
export function applyCommand(state: TopologyState, command: unknown): Applied {
  const since = sinceOf(command);
  const inForce = protocolInForce(state);
  if (since > inForce) {
    return refusal(
      state,
      refused(
        "topology/not-spoken",
        `Cannot change the topology so as every node must speak version ${since} of the protocol: some speak ${inForce}`,
      ),
    );
  }
  const reading = readCommand(command);
  if ("complaint" in reading) {
    return refusal(
      state,
      refused("topology/bad-command", `Cannot apply the command to the topology: ${reading.complaint}`),
    );
  }
  const outcome = change(state, reading.command);
  if ("code" in outcome) return refusal(state, outcome);
  if (since > state.spoken) outcome.fields.spoken = since;
  const changed = Object.keys(outcome.fields).length > 0;
  const step = 1 +
    ((outcome.fields.systemGeneration ?? state.systemGeneration) - state.systemGeneration) * VERSION_LEAP;
  const next = changed ? { ...state, ...outcome.fields, version: state.version + step } : state;
  return { state: next, answer: { ok: true, version: next.version, changed, ...outcome.details } };
}

function refusal(state: TopologyState, answer: Refused): Applied {
  return { state, answer };
}

function change(state: TopologyState, command: TopologyCommand): Change | Refused {
  if (command.type === "create") return create(state, command);
  if (state.clusterId === "") {
    return refused("topology/not-created", `Cannot ${command.type} as the cluster must be created first`);
  }
  switch (command.type) {
    case "join":
      return join(state, command.node);
    case "birth":
      return birth(state);
    case "absent":
      return absent(state, command.incarnations, command.force === true);
    case "present":
      return present(state, command.incarnations);
    case "drain":
      return drain(state, command.name, command.incarnation);
    case "remove":
      return remove(state, command.name, command.incarnation);
    case "home":
      return home(state, command.facility, command.dataCenter);
    case "deploy":
      return deploy(state, command);
    case "promote":
      return promote(state, command);
    case "rollback":
      return rollback(state, command);
    case "remove-plugin":
      return removePlugin(state, command.name);
    case "recover":
      return recover(state, command);
    case "revive":
      return revive(state, command.copies);
    case "leap":
      return accepted(command.generation > state.systemGeneration ? { systemGeneration: command.generation } : {});
    case "ack":
      return ack(state, command);
    case "switch":
      return named(state.switches, command, command.on, SWITCHES_MAX, (switches) => ({
        switches,
        switchDeeds: withSwitchDeed(state, command),
      }));
    case "setting":
      return named(state.settings, command, command.value, SETTINGS_MAX, (settings) => ({ settings }));
  }
}

function create(state: TopologyState, command: TopologyCommand & { type: "create" }): Change | Refused {
  const { clusterId, copies, expect, shardsPerSet = SHARDS_PER_SET } = command;
  const isSame = state.clusterId === clusterId && state.copies === copies && state.expect === expect &&
    state.shardsPerSet === shardsPerSet;
  if (isSame) return accepted({});
  if (state.clusterId !== "") {
    return refused("topology/already-created", `Cannot create "${clusterId}" as a cluster is created once`);
  }
  return accepted({ clusterId, copies, expect, shardsPerSet });
}

function home(state: TopologyState, facility: string, dataCenter: string): Change | Refused {
  if (state.born === null) {
    return refused("topology/not-born", `Cannot give a facility a home as there are none before the shards are born`);
  }
  const sets = state.homes.flatMap((home, set) => home === dataCenter ? [set] : []);
  if (sets.length === 0) {
    return refused("topology/no-such-home", `Cannot use "${dataCenter}" as a home as no shard set has it for one`);
  }
  if (Object.hasOwn(state.facilities, facility)) {
    const set = state.facilities[facility];
    if (sets.includes(set)) return accepted({}, { set });
    return refused(
      "topology/facility-fixed",
      `Cannot give the facility another home as its shard set is fixed: S${set}, at home in ${state.homes[set]}`,
    );
  }
  if (Object.keys(state.facilities).length >= FACILITIES_MAX) {
    return refused("topology/too-many-facilities", `Cannot add a facility as there may be ${FACILITIES_MAX} entries`);
  }
  const hashed = setOfFacility(facility);
  const set = sets.includes(hashed) ? hashed : sets[hashed % sets.length];
  assert(state.homes[set] === dataCenter, "the set chosen has the home asked for");
  return accepted({ facilities: { ...state.facilities, [facility]: set } }, { set });
}

function ack(state: TopologyState, command: TopologyCommand & { type: "ack" }): Change | Refused {
  const { copies, dataCenters } = command;
  if (copies > state.copies || copies * 2 <= state.copies) {
    return refused(
      "topology/bad-ack-rule",
      `Cannot ask for ${copies} copies as it must be a majority of the ${state.copies} that there are, at most all`,
    );
  }
  if (dataCenters > copies) {
    return refused(
      "topology/bad-ack-rule",
      `Cannot ask for ${dataCenters} data centers as ${copies} copies are in ${copies} at most`,
    );
  }
  if (state.ack?.copies === copies && state.ack.dataCenters === dataCenters) return accepted({});
  return accepted({ ack: { copies, dataCenters } });
}

function revive(state: TopologyState, copies: readonly RecoveredCopy[]): Change {
  let { recovered } = state;
  for (const copy of copies) {
    const change = recover({ ...state, recovered }, copy);
    if ("fields" in change) recovered = change.fields.recovered ?? recovered;
  }
  return accepted(recovered === state.recovered ? {} : { recovered });
}

/** A shard that goes on from one survivor's copy; `from` is the generation that ends. */
type RecoveredCopy = { shard: number; survivor: number; from: number };

function recover(state: TopologyState, command: RecoveredCopy): Change | Refused {
  const { shard, survivor, from } = command;
  const before = state.recovered[shard];
  const generation = before?.generation ?? 1;
  if (before?.survivor === survivor && generation === from + 1) return accepted({});
  const text = shardText(shard);
  if (state.born === null) return refused("topology/not-born", `Cannot recover ${text} as the shards are not born yet`);
  if (!isUsed(shard, state.shardsPerSet)) {
    return refused(
      "topology/bad-shard",
      `Cannot recover ${text} as this cluster uses fewer shards: ${state.shardsPerSet} a set`,
    );
  }
  if (generation !== from) {
    return refused(
      "topology/other-generation",
      `Cannot recover ${text} as its generation ${from} is over: ${generation}`,
    );
  }
  const node = state.nodes.find((one) => one.incarnation === survivor);
  if (node?.status !== "up") {
    return refused("topology/no-such-survivor", `Cannot recover ${text} as its survivor must be a node that is up`);
  }
  return accepted({ recovered: { ...state.recovered, [shard]: { generation: from + 1, survivor } } });
}

function withSwitchDeed(state: TopologyState, { name, on, word }: TopologyCommand & { type: "switch" }): SwitchDeed[] {
  const deed = { name, on, version: state.version + 1, ...word ?? { by: "unknown", atMs: 0 } };
  return [...state.switchDeeds ?? [], deed].slice(-DEEDS_MAX);
}

function named<Value>(
  record: Record<string, Value>,
  command: { type: string; name: string },
  value: Value | null,
  max: number,
  fields: (record: Record<string, Value>) => Change["fields"],
): Change | Refused {
  const present = Object.hasOwn(record, command.name);
  if (present ? record[command.name] === value : value === null) return accepted({});
  if (value === null) {
    const { [command.name]: _, ...rest } = record;
    return accepted(fields(rest as Record<string, Value>));
  }
  if (!present && Object.keys(record).length >= max) {
    return refused(`topology/too-many-names`, `Cannot add a ${command.type} as there may be ${max}`);
  }
  return accepted(fields({ ...record, [command.name]: value }));
}
