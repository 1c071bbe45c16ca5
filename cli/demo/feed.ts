/**
 * What the demo sends: the first so many messages of a simulated hospital region, dealt to connections by patient, so
 * that what one patient's messages mean by "in order" is the order of their connection.
 */
import { Hospital, type HospitalMessage } from "./hospital.ts";

/** A message with its place in the whole feed, from 0. */
export interface FeedMessage extends HospitalMessage {
  number: number;
}

/** Messages to send. */
export interface Feed {
  facilities: readonly string[];
  /** how many in all */
  messages: number;
  /** each connection's, in order */
  streams: FeedMessage[][];
  /** each patient's, in order, by key text `patient/facility/id` */
  patients: Map<string, FeedMessage[]>;
}

const FACILITIES = ["HOSPX", "MERCY", "STLUKE", "CEDAR"];

/** The first `messages` messages that the hospitals of `seed` write, for `connections` connections. */
export function feedOf({ seed, messages, connections }: { seed: number; messages: number; connections: number }): Feed {
  const streams: FeedMessage[][] = Array.from({ length: connections }, () => []);
  const patients = new Map<string, FeedMessage[]>();
  const streamOf = new Map<string, FeedMessage[]>();
  let number = 0;
  for (const message of new Hospital({ seed, facilities: FACILITIES, patients: Infinity }).messages()) {
    if (number === messages) break;
    const key = `patient/${message.facility}/${message.patientId}`;
    let stream = streamOf.get(key);
    if (stream === undefined) streamOf.set(key, stream = streams[streamOf.size % connections]);
    let own = patients.get(key);
    if (own === undefined) patients.set(key, own = []);
    const numbered = { ...message, number: number++ };
    stream.push(numbered);
    own.push(numbered);
  }
  return { facilities: FACILITIES, messages, streams, patients };
}
