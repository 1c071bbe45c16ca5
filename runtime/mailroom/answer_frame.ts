import { badPayload, type ByteReader, type ByteWriter, type ProposeAnswer, type Receipt } from "../wire/mod.ts";
import { openBundle } from "./bundle_frame.ts";
import { whole } from "./deliver_frame.ts";

/** Numbers on the wire; they never change their meaning. */
const STATE = { recorded: 0, duplicate: 1, moved: 2, gap: 3, conflict: 4, mismatch: 5, busy: 6, unknown: 7 } as const;

/** More names than any receipt has. */
const COPIES_MAX = 64;

/** The answer to one try. */
export interface AnswerItem {
  requestId: number;
  answer: ProposeAnswer;
}

/** Writes one answer. A receipt goes without key and id: who asked knows them. */
export function writeAnswerItem(writer: ByteWriter, { requestId, answer }: AnswerItem): void {
  writer.u32(requestId);
  switch (answer.state) {
    case "recorded":
      writer.u8(answer.duplicate ? STATE.duplicate : STATE.recorded);
      writeReceipt(writer, answer.receipt);
      break;
    case "moved":
      writer.u8(STATE.moved).u8(answer.hint === null ? 0 : 1);
      if (answer.hint !== null) {
        const { shard, generation, term, writer: incarnation } = answer.hint;
        writer.u16(shard).f64(generation).f64(term).f64(incarnation);
      }
      break;
    case "gap":
      writer.u8(STATE.gap).f64(answer.expected);
      break;
    case "mismatch":
      writer.u8(STATE.mismatch).f64(answer.seq);
      break;
    case "busy":
      writer.u8(STATE.busy).f64(answer.retryAfterMs);
      break;
    case "conflict":
    case "unknown":
      writer.u8(STATE[answer.state]);
  }
}

function writeReceipt(writer: ByteWriter, receipt: Receipt): void {
  writer.f64(receipt.seq).text(receipt.shard).f64(receipt.generation).f64(receipt.term).f64(receipt.index);
  writer.text(receipt.digest).text(receipt.writer).u8(receipt.copies.length);
  for (const name of receipt.copies) writer.text(name);
}

/**
 * Reads an answer frame; key and id of the receipts are `""`.
 *
 * @throws {WaterparkError} `wire/bad-payload`
 */
export function readAnswerFrame(frame: Uint8Array): AnswerItem[] {
  const { count, reader } = openBundle(frame);
  const items: AnswerItem[] = [];
  for (let i = 0; i < count; i++) items.push({ requestId: reader.u32(), answer: readAnswer(reader) });
  if (reader.left !== 0) throw badPayload(`${reader.left} bytes too many`);
  return items;
}

function readAnswer(reader: ByteReader): ProposeAnswer {
  const state = reader.u8();
  switch (state) {
    case STATE.recorded:
    case STATE.duplicate:
      return { state: "recorded", receipt: readReceipt(reader), duplicate: state === STATE.duplicate };
    case STATE.moved: {
      if (reader.u8() === 0) return { state: "moved", hint: null };
      const shard = reader.u16();
      const [generation, term, writer] = [whole(reader.f64()), whole(reader.f64()), whole(reader.f64())];
      return { state: "moved", hint: { shard, generation, term, writer } };
    }
    case STATE.gap:
      return { state: "gap", expected: whole(reader.f64()) };
    case STATE.conflict:
      return { state: "conflict" };
    case STATE.mismatch:
      return { state: "mismatch", seq: whole(reader.f64()) };
    case STATE.busy: {
      const retryAfterMs = reader.f64();
      if (!(retryAfterMs >= 0)) throw badPayload("wait");
      return { state: "busy", retryAfterMs };
    }
    case STATE.unknown:
      return { state: "unknown" };
    default:
      throw badPayload(`answer ${state}`);
  }
}

function readReceipt(reader: ByteReader): Receipt {
  const seq = whole(reader.f64());
  const shard = reader.text();
  const [generation, term, index] = [whole(reader.f64()), whole(reader.f64()), whole(reader.f64())];
  const [digest, writer, copyCount] = [reader.text(), reader.text(), reader.u8()];
  if (copyCount > COPIES_MAX) throw badPayload(`${copyCount} copies`);
  const copies: string[] = [];
  for (let i = 0; i < copyCount; i++) copies.push(reader.text());
  return { key: "", id: "", seq, shard, generation, term, index, writer, copies, digest };
}
