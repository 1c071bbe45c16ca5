/**
 * The main job, as somebody would try it who does not believe us: 1,013 HL7 messages of 403 patients, sent by a client
 * that is not ours over three connections to three of eight nodes, while the busiest writer is killed.
 *
 * How we know that nothing is lost, doubled or swapped:
 * - what was sent is the file itself; the sender counts acknowledgements, not we;
 * - each copy is asked alone, all other processes frozen, and gives back its bytes through the `witness` plugin, which
 *   runs on the node that is asked (`copies_alone.ts`);
 * - the visit states are compared with an oracle that reads the file with @medplum/core and shares no code with us.
 */
import assert from "node:assert/strict";
import type { ActorKey, WaterparkClient } from "../../client.ts";
import type { PatientState } from "../../plugins/patient/state.ts";
import { testWithSimhospital } from "../interop/simhospital.ts";
import { expectedPatients } from "../interop/visit_state_oracle.ts";
import { oracleViewOf } from "../interop/visit_state_view.ts";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { atOnce, copiesAlone } from "./copies_alone.ts";
import { deployPlugin } from "./deploy_plugin.ts";
import { sendByForeignClient, type SendReport } from "./foreign_sender.ts";

const CONNECTIONS = 3;
const KILL_AFTER = 400;

interface Feed {
  /** in the order of the file */
  messages: string[];
  /** of one patient, in the order of the file */
  ofPatient: Map<string, string[]>;
  /** by connection; all of a patient's go over the same */
  ofConnection: string[][];
}

testWithSimhospital("1,013 messages of 403 patients survive the busiest writer's death, on every copy", async (raw) => {
  const feed = feedOf(raw.map((bytes) => new TextDecoder().decode(bytes)));
  assert.deepEqual([feed.messages.length, feed.ofPatient.size], [1013, 403]);
  await withCluster({}, async (cluster) => {
    await deployPlugin(cluster.client(), new URL("../../plugins/patient/mod.ts", import.meta.url));
    await deployPlugin(cluster.client("FL-B-1"), new URL("plugins/witness.ts", import.meta.url));

    const { reports, killed } = await sendAndKill(cluster, feed);
    const total = (of: keyof SendReport) => reports.reduce((sum, report) => sum + report[of], 0);
    assert.equal(total("accepted"), 1013);
    assert.ok(total("broken") > 0, "the kill broke a connection, so that repeating was put to the test");
    console.error(
      `killed ${killed}; ${total("broken")} connections broke, ${total("deferred")} messages deferred (AE)`,
    );

    await assertHistories(cluster, feed);
    await assertCopies(cluster, feed, expectedPatients(raw));
  });
});

// The first connection goes to the node that will write most, so that its death breaks a connection as well.
async function sendAndKill(
  cluster: ClusterOfProcesses,
  feed: Feed,
): Promise<{ reports: SendReport[]; killed: string }> {
  const busiest = await busiestByPlacement(cluster.client(), feed);
  const dataCenter = (name: string) => name.split("-")[0];
  const others = cluster.nodes.filter((node) => dataCenter(node.name) !== dataCenter(busiest));
  const nodes = [cluster.node(busiest), others[0], others[others.length - 1]];
  let accepted = 0;
  let killed: Promise<string> | null = null;
  const onAccepted = () => {
    if (++accepted === KILL_AFTER) killed = killBusiest(cluster);
  };
  const reports = await Promise.all(feed.ofConnection.map((messages, i) => {
    const addresses = [...nodes.slice(i), ...nodes.slice(0, i)].map((node) => node.mllp);
    return sendByForeignClient(messages, { addresses, version: "2.3", onAccepted });
  }));
  return { reports, killed: await killed! };

  async function killBusiest(cluster: ClusterOfProcesses): Promise<string> {
    const written = await Promise.all(cluster.nodes.map(async ({ name }) => {
      const { actors } = await cluster.client(name, { alone: true }).actors({ limit: 1000 });
      return { name, messages: actors.reduce((sum, actor) => sum + actor.seq, 0) };
    }));
    const { name } = written.reduce((most, node) => node.messages > most.messages ? node : most);
    await cluster.kill(name);
    assert.ok(accepted < feed.messages.length - 100, `killed in the middle: after ${accepted}`);
    return name;
  }
}

async function busiestByPlacement(client: WaterparkClient, feed: Feed): Promise<string> {
  const counts = new Map<string, number>();
  await atOnce(16, feed.ofPatient, async ([id, messages]) => {
    const { writer } = await client.place(keyOf(id));
    counts.set(writer, (counts.get(writer) ?? 0) + messages.length);
  });
  return [...counts].reduce((most, node) => node[1] > most[1] ? node : most)[0];
}

/** Every patient's history, from any node: what was sent, once, in order. */
async function assertHistories(cluster: ClusterOfProcesses, feed: Feed): Promise<void> {
  const clients = cluster.alive.map((node) => cluster.client(node.name, { alone: true }));
  let turn = 0;
  await atOnce(16, feed.ofPatient, async ([id, sent]) => {
    const { events, next } = await clients[turn++ % clients.length].history(keyOf(id), { limit: 1000 });
    assert.equal(next, null);
    assert.deepEqual(events.map((event) => event.seq), sent.map((_, i) => i + 1));
    assert.deepEqual(events.map((event) => textOf(event.body)), sent);
    assert.deepEqual(events.map((event) => event.id), sent.map((text) => `SFAC/${controlIdOf(text)}`));
  });
}

/** Every patient on at least three copies, each the same bytes in the same order, and the visit state right. */
async function assertCopies(
  cluster: ClusterOfProcesses,
  feed: Feed,
  expected: ReturnType<typeof expectedPatients>,
): Promise<void> {
  const keys = new Map<ActorKey, string>([...feed.ofPatient.keys()].map((id) => [keyOf(id), id]));
  const copies = await copiesAlone(cluster, [...keys.keys()]);
  let fewest = Infinity;
  for (const [key, id] of keys) {
    const sent = feed.ofPatient.get(id)!;
    let complete = 0;
    for (const { view } of copies.get(key)!) {
      assert.deepEqual(view.parked, {});
      const { messages } = view.projections.witness as { messages: { seq: number; text: string }[] };
      assert.equal(messages.length, view.seq);
      // a copy may be behind; what it has must be the beginning of what was sent
      assert.deepEqual(messages.map((message) => message.text), sent.slice(0, messages.length));
      if (messages.length < sent.length) continue;
      complete++;
      assert.deepEqual(oracleViewOf(view.projections.patient as PatientState), expected.get(id));
    }
    fewest = Math.min(fewest, complete);
    assert.ok(complete >= 3, `a patient's messages are complete on ${complete} copies only`);
  }
  console.error(`every message is on at least ${fewest} copies, each asked alone`);
}

function feedOf(messages: string[]): Feed {
  const ofPatient = new Map<string, string[]>();
  const ofConnection: string[][] = Array.from({ length: CONNECTIONS }, () => []);
  const connectionOf = new Map<string, number>();
  for (const text of messages) {
    const id = /^PID\|(?:[^|]*\|){2}([^^|]*)/m.exec(text.replaceAll("\r", "\n"))![1];
    if (!connectionOf.has(id)) connectionOf.set(id, connectionOf.size % CONNECTIONS);
    ofConnection[connectionOf.get(id)!].push(text);
    const own = ofPatient.get(id);
    if (own === undefined) ofPatient.set(id, [text]);
    else own.push(text);
  }
  return { messages, ofPatient, ofConnection };
}

function keyOf(id: string): ActorKey {
  return { kind: "patient", facility: "SFAC", id };
}

function controlIdOf(text: string): string {
  return text.split("|", 10)[9];
}

function textOf(body: unknown): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body as Uint8Array);
}
