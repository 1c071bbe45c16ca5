/**
 * The plugin host's process: reads frames from stdin, folds, writes answers to stdout. Started by `host_process.ts`
 * with no permission at all, no packages and no configuration, so everything imported here is a relative file, loaded
 * before the first line runs.
 *
 * It is one blocking loop. So no promise, timer or microtask of anybody ever gets a turn between two frames, and a
 * program that hangs is found out by the node, whose questions stay unanswered. When the node dies, stdin ends, and so
 * does this.
 *
 * @module
 */
// Not through wire's door: see host_protocol.ts.
import { ByteReader } from "../wire/bytes.ts";
import { WaterparkError } from "../base/mod.ts";
import { gates } from "../world/mod.ts";
import { decodeFold, encodeAnswer, encodeTexts, FrameCutter, HOST_FRAME, joinFrames } from "./host_protocol.ts";
import { PluginContext } from "./plugin_context.ts";
import { type RowRequest, Sessions } from "./session.ts";

const DECODER = new TextDecoder();
const HELD_BYTES_MAX = 64 * 1024;
const PROGRESS = encodeTexts(HOST_FRAME.progress, []);

let sessions = new Sessions();

function serve(frame: Uint8Array): void {
  const reader = new ByteReader(frame);
  switch (reader.u8()) {
    case HOST_FRAME.setup:
      sessions = new Sessions(JSON.parse(reader.text()));
      return write(encodeTexts(HOST_FRAME.ready, []));
    case HOST_FRAME.load:
      return load(reader.text(), reader.text(), reader.raw(reader.left));
    case HOST_FRAME.unload:
      return sessions.unload(reader.text());
    case HOST_FRAME.fold: {
      const { call, request } = decodeFold(reader);
      calls.push(call);
      requests.push(request);
    }
  }
}

/** the folds of a chunk that have not been run yet */
let calls: number[] = [];
let requests: RowRequest[] = [];

function fold(): void {
  if (requests.length === 0) return;
  const numbers = calls;
  const wanted = requests;
  calls = [];
  requests = [];
  sessions.foldAll(wanted, (place, answer) => write(encodeAnswer(numbers[place], answer)), showLife);
}

function load(hash: string, name: string, bundle: Uint8Array): void {
  try {
    const context = new PluginContext(DECODER.decode(bundle), name);
    sessions.load(hash, context);
    write(encodeTexts(HOST_FRAME.loaded, [hash, "", JSON.stringify(context.about)]));
  } catch (error) {
    const code = error instanceof WaterparkError ? error.code : "plugin_host/not-a-plugin";
    write(encodeTexts(HOST_FRAME.loaded, [hash, code, `${(error as Error).message}`.slice(0, 2_000)]));
  }
}

// What one run leads to goes out in one write: a system call costs as much as a small fold. Should a fold end the
// process, the answers held back are lost with it, and only more calls than need be are suspects.
let held: Uint8Array[] = [];
let heldBytes = 0;

function write(frame: Uint8Array): void {
  held.push(frame);
  heldBytes += frame.length;
  if (heldBytes >= HELD_BYTES_MAX) flush();
}

/** Answers are a sign of life as good as any. */
function showLife(): void {
  if (held.length === 0) write(PROGRESS);
  flush();
}

function flush(): void {
  if (held.length === 0) return;
  const frames = held;
  held = [];
  heldBytes = 0;
  const bytes = joinFrames(frames);
  for (let at = 0; at < bytes.length;) at += gates.stdio.stdout.writeSync(bytes.subarray(at));
}

const cutter = new FrameCutter();
const chunk = new Uint8Array(256 * 1024);
for (let n = gates.stdio.stdin.readSync(chunk); n !== null; n = gates.stdio.stdin.readSync(chunk)) {
  for (const frame of cutter.push(chunk.subarray(0, n))) {
    // all but folds are rare, and stand where they stand
    if (frame[0] !== HOST_FRAME.fold) fold();
    serve(frame);
  }
  fold();
  flush();
}
