/**
 * What node and host process say to each other over the host's stdin and stdout: frames of u32 length (of the rest), u8
 * kind, fields laid out by hand. Answers come in any order, by the number of their call.
 *
 * @module
 */
// Not through wire's door: it draws MessagePack from npm along, and the host's process runs without any package.
import { ByteReader, ByteWriter } from "../wire/bytes.ts";
import type { FoldAnswer, FoldRequest, FoldResult } from "../actors/mod.ts";
import { WaterparkError } from "../base/mod.ts";
import { EFFECTS_MAX, packEffect, problemOfEffect, unpackEffect } from "./effect_check.ts";
import { InternedTexts } from "./interned_texts.ts";
import { rawOf } from "./raw_content.ts";
import type { RowAnswer, RowRequest } from "./session.ts";
import type { LoadAnswer } from "./version_shelf.ts";

/** Kinds of frames. */
export const HOST_FRAME = {
  /** to the host: limits as JSON; once, before anything else */
  setup: 1,
  /** to the host: hash, name, bundle */
  load: 2,
  /** to the host: hash */
  unload: 3,
  /** to the host: call number, request */
  fold: 4,
  /** from the host: it has been set up */
  ready: 11,
  /** from the host: hash, error code or "", message or the program's `about` */
  loaded: 12,
  /** from the host: call number, answer */
  answer: 13,
  /** from the host: a long call goes on */
  progress: 14,
} as const;

/** Longest frame. */
export const HOST_FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** Cuts a stream of chunks into frames. A frame in many chunks is gathered in one buffer of its own length. */
export class FrameCutter {
  readonly #head = new Uint8Array(4);
  #headBytes = 0;
  #body: Uint8Array | null = null;
  #bodyBytes = 0;

  /**
   * The frames that `chunk` completes, each from its kind on; views, good until the next push.
   *
   * @throws {WaterparkError} `wire/bad-payload` when a frame claims to be longer than {@linkcode HOST_FRAME_BYTES_MAX}
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#headBytes < 4) {
        this.#head[this.#headBytes++] = chunk[at++];
        continue;
      }
      const length = lengthOf(this.#head);
      if (this.#body === null && at + length <= chunk.length) {
        frames.push(chunk.subarray(at, at + length));
        at += length;
        this.#headBytes = 0;
        continue;
      }
      this.#body ??= new Uint8Array(length);
      const part = chunk.subarray(at, at + length - this.#bodyBytes);
      this.#body.set(part, this.#bodyBytes);
      this.#bodyBytes += part.length;
      at += part.length;
      if (this.#bodyBytes < length) break;
      frames.push(this.#body);
      this.#body = null;
      this.#bodyBytes = this.#headBytes = 0;
    }
    return frames;
  }
}

function lengthOf(head: Uint8Array): number {
  const length = (head[0] | (head[1] << 8) | (head[2] << 16) | (head[3] << 24)) >>> 0;
  if (length === 0 || length > HOST_FRAME_BYTES_MAX) throw badFrame(`a frame of ${length} bytes`);
  return length;
}

/** The frames as one run of bytes. */
export function joinFrames(frames: Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const frame of frames) length += frame.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}

const writer = new ByteWriter(64 * 1024);

/** A frame of texts and, last, bytes. */
export function encodeTexts(kind: number, texts: string[], bytes: Uint8Array = new Uint8Array(0)): Uint8Array {
  begin(kind);
  for (const text of texts) writer.text(text);
  return end(bytes);
}

/** The fold frame of a request; payloads are copied. */
export function encodeFold(call: number, request: FoldRequest): Uint8Array {
  begin(HOST_FRAME.fold).u32(call).text(request.hash).text(request.key).f64(request.birth ?? 0).f64(request.after)
    .u8((request.wantProjections ? 1 : 0) | (request.fresh ? 2 : 0)).f64(request.resultsAfter ?? 0)
    .text(JSON.stringify(request.switches));
  writer.u32(request.changes?.length ?? 0);
  for (const { after, switches } of request.changes ?? []) writer.f64(after).text(JSON.stringify(switches));
  writer.u32(request.messages.length);
  for (const message of request.messages) {
    writer.text(message.id).f64(message.atMs).text(message.type).text(message.contentType).bytes(message.payload);
  }
  return end();
}

const interned = new InternedTexts();

/** The request of a fold frame's reader that stands behind its kind. */
export function decodeFold(reader: ByteReader): { call: number; request: RowRequest } {
  const call = reader.u32();
  const hash = interned.read(reader);
  const key = reader.text();
  const birth = reader.f64();
  const after = reader.f64();
  const flags = reader.u8();
  const resultsAfter = reader.f64();
  const switches = interned.read(reader);
  const changes = Array.from({ length: reader.u32() }, () => ({ after: reader.f64(), switches: reader.text() }));
  const rows = new Array(reader.u32());
  for (let i = 0; i < rows.length; i++) {
    const id = reader.text();
    const at = reader.f64();
    const type = interned.read(reader);
    const contentType = interned.read(reader);
    rows[i] = { id, at, type, contentType, raw: rawOf(contentType, reader.bytes()) };
  }
  const wantProjections = (flags & 1) !== 0;
  const fresh = (flags & 2) !== 0;
  const request = { plugin: "", hash, key, birth, after, rows, wantProjections, resultsAfter, fresh, switches };
  return { call, request: changes.length === 0 ? request : { ...request, changes } };
}

/** How a fold ended, in an answer frame; `at` stands behind it. */
const STATE = { ok: 1, fault: 2, behind: 3, down: 4 } as const;

/** The answer frame. Effects that are text already are passed on as they are. */
export function encodeAnswer(call: number, { answer, projections, effects: texts }: RowAnswer): Uint8Array {
  begin(HOST_FRAME.answer).u32(call).u8(STATE[answer.state]).f64(answer.state === "down" ? 0 : answer.at);
  if (answer.state === "behind" || answer.state === "down") return end();
  if (answer.state === "fault") writer.text(answer.code).text(answer.message).text(answer.stack);
  const { results } = answer;
  writer.u32(results.length);
  for (let i = 0; i < results.length; i++) {
    const { seq, digest, effects } = results[i];
    writer.f64(seq).text(digest)
      .text(effects.length === 0 ? "" : texts?.[i] ?? JSON.stringify(effects.map(packEffect)));
  }
  writer.u8(projections === undefined ? 0 : 1);
  if (projections !== undefined) writer.text(projections);
  return end();
}

/**
 * The answer of an answer frame's reader that stands behind its kind. The host's process may be in the hands of a
 * plugin, so nothing of it is believed before it is looked at.
 *
 * @throws {WaterparkError} `wire/bad-payload` when it is none
 */
function decodeAnswer(reader: ByteReader): { call: number; answer: FoldAnswer } {
  const call = reader.u32();
  const state = reader.u8();
  const at = reader.f64();
  if (!isSeq(at)) throw badFrame("a bad seq");
  if (state === STATE.behind) return { call, answer: { state: "behind", at } };
  if (state === STATE.down) return { call, answer: { state: "down", lonely: false, code: "plugin_host/not-loaded" } };
  if (state === STATE.fault) {
    const [code, message, stack] = [clipped(reader.text()), clipped(reader.text()), clipped(reader.text())];
    return { call, answer: { state: "fault", at, code, message, stack, results: decodeResults(reader) } };
  }
  if (state !== STATE.ok) throw badFrame("an unknown state");
  const answer: FoldAnswer = { state: "ok", at, results: decodeResults(reader) };
  if (reader.u8() === 1) answer.projections = parsed(reader.text());
  return { call, answer };
}

const DIGEST = /^[0-9a-f]{16}$/;
const NO_EFFECTS: FoldResult["effects"] = [];

function decodeResults(reader: ByteReader): FoldResult[] {
  const results: FoldResult[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const seq = reader.f64();
    const digest = reader.text();
    const text = reader.text();
    if (!isSeq(seq) || !DIGEST.test(digest)) throw badFrame("a bad result");
    results.push({ seq, digest, effects: text === "" ? NO_EFFECTS : decodeEffects(text) });
  }
  return results;
}

function decodeEffects(text: string): FoldResult["effects"] {
  const effects = parsed(text);
  if (!Array.isArray(effects) || effects.length > EFFECTS_MAX) throw badFrame("a bad result");
  if (effects.some((effect) => problemOfEffect(effect) !== null)) throw badFrame("a bad effect");
  return effects.map(unpackEffect);
}

/** What the host says. */
export type HostWord =
  | { word: "ready" }
  | { word: "progress" }
  | { word: "loaded"; hash: string; answer: LoadAnswer }
  | { word: "answer"; call: number; answer: FoldAnswer };

/**
 * What a frame from the host says.
 *
 * @throws {WaterparkError} `wire/bad-payload` when it says nothing known
 */
export function decodeHostFrame(frame: Uint8Array): HostWord {
  const reader = new ByteReader(frame);
  const kind = reader.u8();
  switch (kind) {
    case HOST_FRAME.ready:
      return { word: "ready" };
    case HOST_FRAME.progress:
      return { word: "progress" };
    case HOST_FRAME.answer:
      return { word: "answer", ...decodeAnswer(reader) };
    case HOST_FRAME.loaded: {
      const hash = reader.text();
      const code = reader.text();
      const text = reader.text();
      if (code !== "") {
        return { word: "loaded", hash, answer: { state: "failed", code: clipped(code), message: clipped(text) } };
      }
      const { name, actorKind } = (parsed(text) ?? {}) as { name?: unknown; actorKind?: unknown };
      return { word: "loaded", hash, answer: { state: "loaded", name: clipped(name), actorKind: clipped(actorKind) } };
    }
    default:
      throw badFrame(`kind ${kind}`);
  }
}

function begin(kind: number): ByteWriter {
  return writer.u32(0).u8(kind);
}

function end(bytes: Uint8Array = new Uint8Array(0)): Uint8Array {
  writer.raw(bytes);
  return writer.patchU32(0, writer.length - 4).take();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badFrame("not JSON");
  }
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

function clipped(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 4_000) : "";
}

function badFrame(state: string): WaterparkError {
  return new WaterparkError(`Cannot read the plugin host's frame as it must be well-formed: ${state}`, {
    code: "wire/bad-payload",
    outcome: "not-applied",
  });
}
