/**
 * Lines in, lines out, in order: a conveyor belt. Each line is worked on while later ones come in; answers leave in the
 * order of the lines. At most so many are on the belt, and where the client does not fetch its answers, nothing more is
 * read: the back-pressure reaches through to its socket.
 */
import type { Line, LineReader } from "./body.ts";
import type { OpenStream } from "./open_streams.ts";

/** How much is on the belt at most. */
export interface LineStreamOptions {
  inFlightMax: number;
  inFlightBytesMax: number;
  /** the stream's place among the open ones */
  stream: OpenStream;
}

interface Place {
  bytes: number;
  text: string | null;
}

const ENCODER = new TextEncoder();

/**
 * The answers to the lines, one each.
 *
 * @param lines where they come from; when it ends, breaks, or the gateway goes down, what is on the belt is answered and
 * the stream ends
 * @param work is called line by line, in order; must not reject
 */
export function answerLines(
  lines: LineReader,
  work: (line: Line, number: number) => Promise<string>,
  { inFlightMax, inFlightBytesMax, stream }: LineStreamOptions,
): ReadableStream<Uint8Array> {
  const belt: Place[] = [];
  let bytes = 0;
  let isEnded = false;
  let changed = Promise.withResolvers<void>();
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };

  const fill = async () => {
    const closing = stream.closing.then(() => null);
    for (let number = 1; !isEnded; number++) {
      while (!isEnded && (belt.length >= inFlightMax || bytes >= inFlightBytesMax)) await changed.promise;
      const line = await Promise.race([lines.next(), closing]).catch(() => null);
      if (line === null || isEnded) break;
      const place: Place = { bytes: line.state === "line" ? line.bytes.length : 0, text: null };
      belt.push(place);
      bytes += place.bytes;
      work(line, number).then((text) => {
        place.text = text;
        if (place === belt[0]) wake();
      });
    }
    isEnded = true;
    lines.cancel();
    wake();
  };

  return new ReadableStream<Uint8Array>({
    start: () => void fill(),
    async pull(controller) {
      while (belt.length === 0 ? !isEnded : belt[0].text === null) await changed.promise;
      if (belt.length === 0) {
        stream.end();
        controller.close();
        return;
      }
      let text = "";
      for (let head = belt[0]; head !== undefined && head.text !== null; head = belt[0]) {
        text += head.text + "\n";
        bytes -= head.bytes;
        belt.shift();
      }
      wake();
      controller.enqueue(ENCODER.encode(text));
    },
    cancel() {
      isEnded = true;
      stream.end();
      lines.cancel();
      wake();
    },
  });
}
