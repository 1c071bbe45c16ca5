import { badPayload, type ByteReader, type ByteWriter, type MessageProposal } from "../wire/mod.ts";
import { openBundle } from "./bundle_frame.ts";

/** The system shard's number, the highest there is. */
const SHARD_MAX = 1024;

/** One message on its way to a writer. */
export interface DeliverItem {
  /** names the try for its answer */
  requestId: number;
  shard: number;
  proposal: MessageProposal;
}

/** Writes one item. */
export function writeDeliverItem(writer: ByteWriter, { requestId, shard, proposal }: DeliverItem): void {
  writer.u32(requestId).u16(shard);
  writer.text(proposal.key).text(proposal.id).text(proposal.type).text(proposal.contentType).f64(proposal.atMs);
  writer.text(proposal.sender);
  if (proposal.sender !== "") writer.f64(proposal.n).f64(proposal.oldest).f64(proposal.term);
  writer.f64(proposal.ifMatch).bytes(proposal.payload);
}

/**
 * Reads a deliver frame. Payloads are views of `frame` (or of what it was unpacked to).
 *
 * @throws {WaterparkError} `wire/bad-payload`
 */
export function readDeliverFrame(frame: Uint8Array): { frameNumber: number; items: DeliverItem[] } {
  const { frameNumber, count, reader } = openBundle(frame);
  const items: DeliverItem[] = [];
  for (let i = 0; i < count; i++) items.push(readItem(reader));
  if (reader.left !== 0) throw badPayload(`${reader.left} bytes too many`);
  return { frameNumber, items };
}

function readItem(reader: ByteReader): DeliverItem {
  const requestId = reader.u32();
  const shard = reader.u16();
  if (shard > SHARD_MAX) throw badPayload(`shard ${shard}`);
  const [key, id, type, contentType] = [reader.text(), reader.text(), reader.text(), reader.text()];
  const atMs = reader.f64();
  if (!Number.isFinite(atMs)) throw badPayload("time");
  const sender = reader.text();
  const ordered = sender !== "";
  const n = ordered ? whole(reader.f64()) : 0;
  const oldest = ordered ? whole(reader.f64()) : 0;
  const term = ordered ? whole(reader.f64()) : 0;
  if (oldest > n) throw badPayload("order");
  const ifMatch = reader.f64();
  if (ifMatch !== -1) whole(ifMatch);
  const payload = reader.bytes();
  return {
    requestId,
    shard,
    proposal: { key, id, type, contentType, atMs, payload, sender, n, oldest, term, ifMatch },
  };
}

/** `value`, which must be a whole number from 0 to 2^53 - 1. */
export function whole(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw badPayload("whole number");
  return value;
}
