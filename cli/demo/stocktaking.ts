/**
 * The count at the end: which of the messages sent stand where. Each copy is asked alone, with all other nodes frozen,
 * so that no copy can answer for another.
 */
import type { ActorKey, WaterparkClient } from "../../client.ts";
import type { PatientState } from "../../plugins/patient/state.ts";
import type { ClusterOfProcesses } from "../../tests/cluster/cluster_of_processes.ts";
import { atOnce, copiesAlone } from "../../tests/cluster/copies_alone.ts";
import type { Feed, FeedMessage } from "./feed.ts";

/** What was found. */
export interface Stock {
  /** standing in their patient's history exactly once */
  once: number;
  /** standing there more than once */
  doubled: number;
  /** patients whose history is not in the order sent */
  disordered: number;
  /** on at least three copies */
  onThree: number;
  /** copies of the message that has fewest */
  fewest: number;
}

/** Counts; `onNode` is told of each node when it is asked. */
export async function takeStock(
  cluster: ClusterOfProcesses,
  feed: Feed,
  onNode: (name: string, actors: number | null) => void,
): Promise<Stock> {
  const stock: Stock = { once: 0, doubled: 0, disordered: 0, onThree: 0, fewest: Infinity };
  const client = cluster.client();
  const histories = new Map<string, string[]>();
  await atOnce(16, feed.patients.keys(), async (text) => {
    histories.set(text, await idsOf(client, keyOf(text)));
  });
  const keys = new Map([...feed.patients.keys()].map((text) => [keyOf(text), text]));
  const copies = await copiesAlone(cluster, [...keys.keys()], { onNode });
  for (const [key, text] of keys) {
    const ids = histories.get(text)!;
    const held = copies.get(key)!.map(({ view }) => heldBy(view.seq, view.projections.patient as PatientState, ids));
    const sent = feed.patients.get(text)!.map(idOf);
    if (ids.join() !== sent.join()) stock.disordered++;
    for (const id of sent) {
      const places = ids.filter((other) => other === id).length;
      if (places > 1) stock.doubled++;
      if (places !== 1) continue;
      stock.once++;
      const count = held.filter((seq) => seq > ids.indexOf(id)).length;
      stock.fewest = Math.min(stock.fewest, count);
      if (count >= 3) stock.onThree++;
    }
  }
  return stock;
}

// A copy's history is the beginning of the writer's, so its length says what it holds. That it really handled so many,
// and that one last, is what the patient plugin's own count says on that node.
function heldBy(seq: number, patient: PatientState, ids: string[]): number {
  const handled = Object.values(patient.messages).reduce((sum, count) => sum + count, 0);
  const last = ids[seq - 1]?.split("/")[1];
  return handled === seq && patient.lastMessage?.controlId === last ? seq : 0;
}

async function idsOf(client: WaterparkClient, key: ActorKey): Promise<string[]> {
  const ids: string[] = [];
  for (let after: number | null = 0; after !== null;) {
    const page: Awaited<ReturnType<WaterparkClient["history"]>> = await client.history(key, { after, limit: 1000 });
    ids.push(...page.events.map((event) => event.id));
    after = page.next;
  }
  return ids;
}

function idOf(message: FeedMessage): string {
  return `${message.facility}/${message.controlId}`;
}

function keyOf(text: string): ActorKey {
  const [kind, facility, id] = text.split("/");
  return { kind, facility, id };
}
