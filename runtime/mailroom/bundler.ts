import { ByteWriter, type Lane, LANE_MESSAGE } from "../wire/mod.ts";
import { beginBundle, compressBundle, endBundle } from "./bundle_frame.ts";

interface OpenBundle {
  writer: ByteWriter;
  count: number;
  requestIds: number[];
}

/** What a {@linkcode Bundler} needs. */
export interface BundlerOptions {
  /** the frames' type */
  type: number;
  /** queues a frame; false: it was not taken */
  send: (to: number, lane: Lane, type: number, payload: Uint8Array) => boolean;
  /** true when the peer is in another data center */
  isFar: (to: number) => boolean;
  /** a bundle of this size goes at once */
  bundleBytesMax: number;
  /** from this size on a far bundle is compressed */
  compressBytesMin: number;
  /** told of a frame that was not taken */
  onUnsent: (to: number, requestIds: number[]) => void;
}

/** Writers larger than this are not kept for the next bundle. */
const WRITER_BYTES_MAX = 1024 * 1024;
const WRITERS_MAX = 8;

/**
 * Gathers what one turn brings for each peer, and sends it as one frame: letters into one bag per town.
 *
 * Nothing waits: the owner calls `flush` at the end of the turn. A bag that has reached its size goes at once. What the
 * transport does not take is given back, never kept: it is bounded there.
 */
export class Bundler {
  readonly #options: BundlerOptions;
  readonly #bundles = new Map<number, OpenBundle>();
  readonly #writers: ByteWriter[] = [];
  #frameNumber = 0;

  constructor(options: BundlerOptions) {
    this.#options = options;
  }

  /** Adds the item `requestId`, which `write` lays out. */
  add(to: number, requestId: number, write: (writer: ByteWriter) => void): void {
    let bundle = this.#bundles.get(to);
    if (bundle === undefined) {
      bundle = { writer: this.#writers.pop() ?? new ByteWriter(), count: 0, requestIds: [] };
      // Numbers run over all peers: each peer sees them growing, and that is all that its window needs.
      beginBundle(bundle.writer, ++this.#frameNumber);
      this.#bundles.set(to, bundle);
    }
    write(bundle.writer);
    bundle.count++;
    bundle.requestIds.push(requestId);
    if (bundle.writer.length >= this.#options.bundleBytesMax) this.#close(to, bundle);
  }

  /** Sends everything gathered, in the order in which the peers were first written to. */
  flush(): void {
    for (const [to, bundle] of [...this.#bundles]) this.#close(to, bundle);
  }

  #close(to: number, bundle: OpenBundle): void {
    this.#bundles.delete(to);
    let frame = endBundle(bundle.writer, bundle.count);
    if (frame.length < WRITER_BYTES_MAX && this.#writers.length < WRITERS_MAX) this.#writers.push(bundle.writer);
    if (frame.length >= this.#options.compressBytesMin && this.#options.isFar(to)) frame = compressBundle(frame);
    if (!this.#options.send(to, LANE_MESSAGE, this.#options.type, frame)) this.#options.onUnsent(to, bundle.requestIds);
  }
}
