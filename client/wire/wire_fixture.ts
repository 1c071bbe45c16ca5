/**
 * A cluster in one process for tests of the client's wire: nodes that share one memory, each behind the gateway's own
 * sessions, on sockets that a test can break. It keeps the mailroom's word on order: what stands behind a message that
 * was refused for now is refused, until that one comes again.
 */
import type { PostAnswer } from "../../runtime/gateway/mod.ts";
import { Admission, GATEWAY_LIMITS, type GatewayLimits, OpenStreams } from "../../runtime/gateway/mod.ts";
import { FakeNode } from "../../runtime/gateway/fake_node.ts";
import { WireSession } from "../../runtime/gateway/wire_session.ts";
import { systemWorld } from "../../runtime/world/mod.ts";
import type { ClientSocket, OpenSocket } from "./socket.ts";

/** One node of the cluster. */
export class WireNode extends FakeNode {
  override readonly name: string;
  /** ids that were posted here, in order */
  readonly ids: string[] = [];
  /** false: nobody listens */
  isUp = true;
  /** false: what listens lets no WebSocket through */
  hasWire = true;
  /** answers a post in the memory's place */
  fate: (id: string) => PostAnswer | "hang" | null = () => null;
  readonly sockets = new Set<() => void>();
  readonly sessions = new Set<WireSession>();
  batches = 0;
  /** true: posts come to the memory later, in order, whatever becomes of who sent them */
  isSlow = false;
  readonly #waiting: (() => void)[] = [];
  readonly #stopped = new Map<string, string>();

  constructor(name: string, memory: FakeNode, { writerOf }: { writerOf: (key: string) => string }) {
    super();
    this.name = name;
    this.httpOf = (other) => `http://${other.toLowerCase()}`;
    this.post = memory.post;
    this.postNow = (request, done) => {
      if (!this.isSlow) return now(request, done);
      this.#waiting.push(() => now(request, done));
      if (this.#waiting.length === 1) setTimeout(() => this.#waiting.splice(0).forEach((post) => post()), 1);
    };
    const now: FakeNode["postNow"] = (request, done) => {
      const { key, id, sender } = request;
      this.ids.push(id);
      const stream = `${key} ${sender}`;
      const stoppedBy = this.#stopped.get(stream);
      if (stoppedBy !== undefined && stoppedBy !== id) return queueMicrotask(() => done(STOPPED));
      this.#stopped.delete(stream);
      const fate = this.fate(id);
      if (fate === "hang") return;
      if (fate !== null) {
        if (fate.state === "refused" && fate.code === "mailroom/busy") this.#stopped.set(stream, id);
        return queueMicrotask(() => done(fate));
      }
      memory.postNow(request, (answer) => {
        if (answer.state === "refused") return done(answer);
        done({ ...answer, receipt: { ...answer.receipt, writer: writerOf(key) } });
      });
    };
  }

  /** Breaks every connection. */
  breakAll(): void {
    for (const breakIt of [...this.sockets]) breakIt();
  }
}

const STOPPED: PostAnswer = { state: "refused", code: "mailroom/stopped", outcome: "not-applied", message: "Cannot" };
/** A refusal that passes. */
export const BUSY: PostAnswer = { state: "refused", code: "mailroom/busy", outcome: "not-applied", message: "Cannot" };

/** Nodes by their URLs, and the way to their sockets. */
export class WireCluster {
  readonly memory = new FakeNode();
  readonly nodes: WireNode[];
  /** URLs that were dialled, in order */
  readonly dialled: string[] = [];
  readonly openSocket: OpenSocket;
  /** true: nothing arrives within the turn, so that a refusal and the next try cannot starve whatever else is to happen */
  isFar = false;
  /** the writer of a key; the first node where left out */
  writerOf: (key: string) => string = () => this.nodes[0].name;

  /** `openMin`: messages that each connection lets in at a time; the others are turned away */
  constructor(
    names: readonly string[],
    { openMin = 512, ...limits }: Partial<GatewayLimits> & { openMin?: number } = {},
  ) {
    this.nodes = names.map((name) => new WireNode(name, this.memory, { writerOf: (key) => this.writerOf(key) }));
    const world = systemWorld();
    const carry = (fn: () => void) => this.isFar ? void setImmediate(fn) : queueMicrotask(fn);
    this.openSocket = ({ url }, handlers): ClientSocket => {
      this.dialled.push(url);
      const node = this.nodes.find((node) => url === `http://${node.name.toLowerCase()}`);
      let isClosed = false;
      const close = (reason: string) => {
        if (isClosed) return;
        isClosed = true;
        session?.closed();
        if (node !== undefined && session !== null) {
          node.sockets.delete(breakIt);
          node.sessions.delete(session);
        }
        queueMicrotask(() => handlers.onClose(reason));
      };
      const breakIt = () => close("broken");
      let session: WireSession | null = null;
      if (node === undefined || !node.isUp || !node.hasWire) queueMicrotask(() => close("refused"));
      else {
        session = new WireSession({
          gateway: {
            service: node,
            world,
            limits: { ...GATEWAY_LIMITS, ...limits },
            streams: new OpenStreams(9),
            admission: new Admission(world, { openMin, openMax: openMin, stayMs: 1000 }),
          },
          stream: new OpenStreams(9).open(),
          socket: {
            bufferedAmount: 0,
            send: (bytes) => {
              const copy = bytes.slice();
              carry(() => isClosed || handlers.onMessage(copy));
            },
            close: (code) => close(`code ${code}`),
          },
        });
        node.sockets.add(breakIt);
        node.sessions.add(session);
        queueMicrotask(() => {
          handlers.onOpen();
          session!.start();
        });
      }
      return {
        room: 3,
        isBusy: false,
        send: (bytes) => {
          const copy = bytes.slice(3).buffer;
          if (node !== undefined && copy.byteLength > 1) node.batches++;
          carry(() => isClosed || session?.receive(copy));
        },
        close: () => close("closed by the client"),
      };
    };
  }

  /** Their URLs. */
  get urls(): string[] {
    return this.nodes.map((node) => `http://${node.name.toLowerCase()}`);
  }

  /** ids in the history of an actor */
  idsOf(key: string): string[] {
    return this.memory.historyOf(key).map((event) => event.id);
  }
}
