/**
 * Doors: the nodes that a client knows of, and its connections to them. Those it was given come first; where a receipt
 * names another one, its address came with the name, and a connection to it is opened beside.
 */
import type { WireName } from "../../runtime/wire/client_protocol.ts";
import type { Connection } from "./connection.ts";

/** Connections at a time; what would need more goes through another node, at the price of a hop. */
const CONNECTIONS_MAX = 64;
/** Nodes remembered. */
const DOORS_MAX = 1024;
/** How long a door that did not open is left alone, doubled up to {@linkcode REST_MS_MAX}. */
const REST_MS = 250;
const REST_MS_MAX = 10_000;

/** One node's address. */
export class Door {
  readonly url: string;
  /** one of those that the client was given */
  readonly isGiven: boolean;
  connection: Connection | null = null;
  #restUntilMs = 0;
  #restMs = REST_MS;

  constructor(url: string, isGiven: boolean) {
    this.url = url;
    this.isGiven = isGiven;
  }

  /** true: messages can go out through it now */
  get isOpen(): boolean {
    return this.connection !== null && this.connection.isOpen;
  }

  /** Whether it is worth knocking. */
  mayOpen(nowMs: number): boolean {
    return this.connection === null && nowMs >= this.#restUntilMs;
  }

  opened(): void {
    this.#restMs = REST_MS;
    this.#restUntilMs = 0;
  }

  /** It did not open, or broke. */
  failed(nowMs: number): void {
    this.connection = null;
    this.#restUntilMs = nowMs + this.#restMs;
    this.#restMs = Math.min(2 * this.#restMs, REST_MS_MAX);
  }
}

/** All doors. */
export class Doors {
  readonly given: readonly Door[];
  readonly #byUrl = new Map<string, Door>();
  readonly #byName = new Map<string, Door>();
  readonly #isSecure: boolean;
  #home = 0;

  constructor(urls: readonly string[]) {
    this.given = urls.map((url) => {
      const door = this.#byUrl.get(url) ?? new Door(url, true);
      this.#byUrl.set(url, door);
      return door;
    });
    // A token that was meant for TLS goes nowhere without.
    this.#isSecure = urls.some((url) => url.startsWith("https:"));
  }

  /** connections open, or about to be */
  get connections(): Connection[] {
    const connections: Connection[] = [];
    for (const { connection } of this.#byUrl.values()) if (connection !== null) connections.push(connection);
    return connections;
  }

  /** whether another may be opened */
  get hasRoom(): boolean {
    return this.connections.length < CONNECTIONS_MAX;
  }

  /** The node of this name is behind this door. */
  named(name: string, door: Door): void {
    this.#byName.set(name, door);
  }

  /** Takes in what a node tells of others. */
  learn({ name, http }: WireName): void {
    const known = this.#byName.get(name);
    // Whom it reaches by an address that it was given it need not reach by another.
    if (known !== undefined && (known.isGiven || known.url === http)) return;
    if (!URL.canParse(http) || !(this.#isSecure ? /^https:/ : /^https?:/).test(http)) return;
    const url = http.replace(/\/+$/, "");
    let door = this.#byUrl.get(url);
    if (door === undefined) {
      if (this.#byUrl.size >= DOORS_MAX) this.#forget();
      this.#byUrl.set(url, door = new Door(url, false));
    }
    this.#byName.set(name, door);
  }

  /** The door of the node of this name, if it is known. */
  of(name: string): Door | undefined {
    return this.#byName.get(name);
  }

  /** An open door: the same one as long as it is open, given ones first. */
  open(): Door | null {
    for (let i = 0; i < this.given.length; i++) {
      const door = this.given[(this.#home + i) % this.given.length];
      if (door.isOpen) return door;
    }
    for (const door of this.#byUrl.values()) if (door.isOpen) return door;
    return null;
  }

  /** From now on another of the given ones is tried first. */
  turn(): void {
    this.#home = (this.#home + 1) % this.given.length;
  }

  /** The given doors, that which is to be tried first at the beginning. */
  inTurn(): Door[] {
    return this.given.map((_, i) => this.given[(this.#home + i) % this.given.length]);
  }

  #forget(): void {
    for (const [url, door] of this.#byUrl) if (!door.isGiven && door.connection === null) this.#byUrl.delete(url);
    for (const [name, door] of this.#byName) if (!this.#byUrl.has(door.url)) this.#byName.delete(name);
  }
}
