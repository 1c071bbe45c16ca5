/**
 * The client: what a node does, over HTTP, from any program. Needs nothing but `fetch`; and for many messages, with
 * `wire: "websocket"`, a connection to each node, over which a message costs a hundredth of what a request does.
 *
 * Given several URLs it goes to the next when a node is lost, and repeats the request there under the same message id:
 * a message is recorded once, whichever node got it first.
 *
 * ```ts
 * import { connect } from "@waterpark/waterpark/client";
 *
 * async function admit(): Promise<void> {
 *   const waterpark = connect(["http://10.0.0.1:8600", "http://10.0.1.1:8600"]);
 *   const key = { facility: "HOSPX", id: "1001" };
 *   const receipt = await waterpark.send(key, { type: "admit", ward: "5W" });
 *   const { projections } = await waterpark.read(key, { after: receipt.seq });
 *   console.log(projections.census);
 *   for await (const event of waterpark.watch(key)) console.log(event.type, event.body);
 * }
 * ```
 *
 * @module
 */
import {
  type ActorKey,
  formatKey,
  fullKey,
  type Outcome,
  WaterparkError,
  type WaterparkErrorOptions,
} from "./runtime/base/mod.ts";
import type {
  ActorDifference,
  ActorPlace,
  ActorView,
  AuditReceipt,
  AuditState,
  AuditVerdict,
  ContentJson,
  CopiesNeeded,
  CopiesVerdict,
  CopyAudit,
  CopyDifference,
  CopyView,
  DeliveryView,
  DestinationCounts,
  DrainView,
  EffectsQuery,
  EventJson,
  FindQuery,
  FoundMessage,
  FoundView,
  LostCopyName,
  LostCopyView,
  LostMessageView,
  MessageState,
  NodeHolding,
  NodeView,
  OutsideView,
  ParkedFault,
  PlanView,
  PluginCounts,
  PluginDetail,
  PluginDiffView,
  PluginView,
  PromoteOptions,
  Receipt,
  RecoveryView,
  ResentView,
  RetentionView,
  ShardView,
  SinkView,
  SourceView,
  SwitchView,
  TopologyView,
  TracedEffect,
  TracedOutcome,
  TraceView,
  WholeView,
} from "./runtime/gateway/mod.ts";
import type {
  AckRule,
  NodeShare,
  NodeStatus,
  WhatIf,
  WhatIfChange,
  WhatIfMove,
  WhatIfNode,
} from "./runtime/topology/mod.ts";
import { type AuditAnswer, auditMany } from "./client/audit.ts";
import { type ActorEvent, contentTypeOf, decodeEvent, type Message, payloadOf } from "./client/content.ts";
import { type ConnectOptions, Dialer } from "./client/dialer.ts";
import { OutsideVerbs } from "./client/outside_verbs.ts";
import { type Deployment, PluginVerbs } from "./client/plugin_verbs.ts";
import { query } from "./client/query.ts";
import { type Sending, type SendingAnswer, sendMany } from "./client/send_many.ts";
import { watchActor } from "./client/watch.ts";
import { postOverHttp } from "./client/wire/http_way.ts";
import { Wire } from "./client/wire/wire.ts";

export type { ActorEvent, ActorKey, ConnectOptions, Message, Outcome, Sending, SendingAnswer, WaterparkErrorOptions };
export type { ActorDifference, AuditAnswer, AuditReceipt, AuditState, AuditVerdict };
export type { CopiesNeeded, CopiesVerdict, CopyAudit, CopyDifference };
export type { AckRule, DrainView, NodeHolding, NodeShare, NodeStatus, PlanView, WhatIf, WhatIfChange, WhatIfMove };
export type { WhatIfNode, WholeView };
export type { ActorPlace, ActorView, NodeView, ParkedFault, PluginView, Receipt, TopologyView };
export type { PluginDetail, PluginDiffView, PromoteOptions, RetentionView, SwitchView };
const JSON_TYPE = { "content-type": "application/json" };
const ENCODER = new TextEncoder();

export type { CopyView, LostCopyName, LostCopyView, LostMessageView, RecoveryView, ResentView, ShardView };
export type { DeliveryView, EffectsQuery, FindQuery, FoundMessage, FoundView, OutsideView, SinkView, SourceView };
export type { ContentJson, DestinationCounts, MessageState, PluginCounts, TracedEffect, TracedOutcome, TraceView };
export { type Deployment, OutsideVerbs, PluginVerbs };
export { WaterparkError };

/** How a message is sent. */
export interface SendOptions {
  /** message id; made up where left out. The same id with the same bytes is recorded once */
  id?: string;
  /** what happened; where left out, the node looks into the message: a JSON object's `type`, MSH-9 of HL7 */
  type?: string;
  /** media type; where left out JSON, `text/plain` or `application/octet-stream`, by the message's form */
  contentType?: string;
  /** record only if the actor's last seq is this */
  ifMatch?: number;
  /** `"handled"`: answer when the handlers are through, with projections and reply; default `"recorded"` */
  wait?: "recorded" | "handled";
}

/** The receipt, and what was asked for beside it. */
export interface Sent extends Receipt {
  /** true: it was recorded before, and this is the receipt of then */
  duplicate?: boolean;
  /** with `wait: "handled"`: what each plugin keeps of the actor now */
  projections?: Record<string, unknown>;
  /** with `wait: "handled"`: what a handler replied */
  reply?: unknown;
}

/**
 * A client of the nodes at these URLs. Nothing is asked yet.
 *
 * @param urls one or more of the cluster's nodes; any of them answers anything
 * @param options token, time limits
 * @throws {WaterparkError} `client/bad-url`
 *
 * @example
 * ```ts
 * import { connect } from "@waterpark/waterpark/client";
 * const waterpark = connect("http://127.0.0.1:8600", { deadlineMs: 5000 });
 * if (waterpark.url !== "http://127.0.0.1:8600") throw new Error("unreachable");
 * ```
 */
export function connect(urls: string | readonly string[], options: ConnectOptions = {}): WaterparkClient {
  const dialer = new Dialer(typeof urls === "string" ? [urls] : urls, options);
  const { token, attemptMs = 5000, hedgeMs = 1000 } = options;
  // Who does not even say that it is there is left: what was on its way goes out again, which is always safe.
  const silentMs = Math.min(attemptMs, 2 * hedgeMs);
  const wire = options.wire === "websocket" ? new Wire(dialer, { token, silentMs }) : null;
  return new WaterparkClient(dialer, wire);
}

/**
 * The cluster, seen through any of its nodes. Every call ends within the client's deadline, and throws a
 * `WaterparkError` whose `outcome` says whether to send again.
 */
export class WaterparkClient extends PluginVerbs {
  readonly #dialer: Dialer;
  readonly #wire: Wire | null;

  /** Made by {@linkcode connect}. */
  constructor(dialer: Dialer, wire: Wire | null = null) {
    super(dialer);
    this.#dialer = dialer;
    this.#wire = wire;
  }

  /** the node that is asked next */
  get url(): string {
    return this.#dialer.url;
  }

  /**
   * Records a message. When this returns, it is on as many copies as the receipt's rule wants, for good.
   *
   * @throws {WaterparkError} 409 `mailroom/conflict`, 412 `mailroom/precondition` and others; with outcome `unknown`, send it
   * again under the same id (which is why programs that must not lose anything choose the id themselves)
   */
  send(key: ActorKey, message: Message, options: SendOptions = {}): Promise<Sent> {
    if (this.#wire !== null) return this.#wire.send(key, message, options);
    const { id = crypto.randomUUID(), contentType = contentTypeOf(message), type = null, ifMatch = -1, wait } = options;
    const payload = payloadOf(message, contentType);
    const handled = wait === "handled";
    return postOverHttp(this.#dialer, { key: formatKey(key), id, type, contentType, payload, ifMatch, handled });
  }

  /**
   * Records a message and calls `done` with what became of it: {@linkcode send} without a promise, for programs that
   * send by the ten thousand a second. Several for one actor are recorded in the order of the calls with
   * `wire: "websocket"`; over HTTP they have no order.
   *
   * @throws {WaterparkError} `base/bad-key`, `client/bad-id`; whatever else fails is told to `done`
   *
   * @example
   * ```ts
   * import { connect } from "@waterpark/waterpark/client";
   * using waterpark = connect("http://127.0.0.1:1", { wire: "websocket", whenNobody: "fail" });
   * const key = { facility: "HOSPX", id: "1001" };
   * const code = await new Promise((resolve) => {
   *   waterpark.post({ key, message: { type: "admit" } }, (answer) => {
   *     resolve(answer.state === "recorded" ? answer.receipt.seq : answer.error.code);
   *   });
   * });
   * if (code !== "client/unreachable") throw new Error("nobody listens there");
   * ```
   */
  post(sending: Sending, done: (answer: SendingAnswer) => void): void {
    if (this.#wire !== null) return this.#wire.post(sending, done);
    const { key, message, id = crypto.randomUUID(), ...options } = sending;
    this.send(key, message, { id, ...options }).then(
      (receipt) => done({ state: "recorded", receipt, duplicate: receipt.duplicate === true }),
      (error: WaterparkError) => done({ state: "refused", id, error }),
    );
  }

  /**
   * Ends the connections of `wire: "websocket"`, which else keep a program from ending; messages without a receipt are
   * refused with `client/closed`. Over HTTP there is nothing to end.
   */
  close(): void {
    this.#wire?.close();
  }

  /** {@linkcode close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Records many messages, those to one actor in their order; an answer for each, in order. A refused one does not stop
   * the others: who must not have later messages overtake it sends one by one.
   */
  sendMany(messages: Iterable<Sending> | AsyncIterable<Sending>): AsyncGenerator<SendingAnswer> {
    return this.#wire?.sendMany(messages) ?? sendMany(this.#dialer, messages);
  }

  /**
   * What an actor is: its last seq, and what each plugin keeps of it.
   *
   * @param key the actor
   * @param options `at`: as it was at that seq; `after`: wait until it has got there (a receipt's seq); `read`: `fresh`
   * (linearizable), `writer` (default), `nearest` (any copy; says how far behind); `version`: what that version of a plugin
   * would keep, as `census@3`, whatever its stage
   */
  read(
    key: ActorKey,
    options: { at?: number; after?: number; read?: "fresh" | "writer" | "nearest"; version?: string } = {},
  ): Promise<ActorView> {
    const kind = options.after === undefined ? "read" : "read-after";
    return this.#dialer.ask({ path: actorPath(key) + query(options), kind });
  }

  /**
   * A page of an actor's history: at most `limit` (default 100) events after `after` (default 0); `next` is the next
   * page's `after`. `read: "nearest"` asks the node's own copy.
   */
  async history(
    key: ActorKey,
    options: { after?: number; limit?: number; read?: "fresh" | "writer" | "nearest" } = {},
  ): Promise<{ events: ActorEvent[]; next: number | null }> {
    const path = `${actorPath(key)}/history${query(options)}`;
    const { events, next } = await this.#dialer.ask<{ events: EventJson[]; next: number | null }>({
      path,
      kind: "history",
    });
    return { events: events.map(decodeEvent), next };
  }

  /**
   * The history from `after` (default 0), and then what comes, until the loop is left or `signal` aborts. Goes to the
   * next node when one is lost, and misses nothing.
   *
   * @throws {WaterparkError} when no node could be watched for the client's deadline
   */
  watch(key: ActorKey, options: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<ActorEvent> {
    return watchActor(this.#dialer, `${actorPath(key)}/watch`, options);
  }

  /** Where an actor lives: the fact, and where placement wants it. */
  place(key: ActorKey): Promise<ActorPlace> {
    return this.#dialer.ask({ path: actorPath(key).replace("/v1/actors/", "/v1/topology/actors/"), kind: "look" });
  }

  /** The topology, as the node that answers has it. */
  topology(): Promise<TopologyView> {
    return this.#dialer.ask({ path: "/v1/topology", kind: "look" });
  }

  /** The nodes of the cluster. */
  async nodes(): Promise<NodeView[]> {
    return (await this.#dialer.ask<{ nodes: NodeView[] }>({ path: "/v1/nodes", kind: "look" })).nodes;
  }

  /**
   * Moves everything off a node, which then ends by itself; with `fast` it hands over what it writes and ends. Returns when
   * that is agreed on, not when it has gone.
   */
  drainNode(name: string, options: { fast?: boolean } = {}): Promise<DrainView> {
    const query = options.fast === true ? "?fast=true" : "";
    return this.#dialer.ask({ method: "POST", path: `/v1/nodes/${encodeURIComponent(name)}/drain${query}` });
  }

  /** Whether every shard has all its copies: if so, the next node may be stopped. */
  whole(): Promise<WholeView> {
    return this.#dialer.ask({ path: "/v1/whole" });
  }

  /**
   * What would be if: changes nothing.
   *
   * @throws {WaterparkError} `topology/bad-plan`
   */
  plan(changes: readonly WhatIfChange[]): Promise<PlanView> {
    const query = changes.map(({ type, what }) => `${type}=${encodeURIComponent(what)}`).join("&");
    return this.#dialer.ask({ path: `/v1/topology/plan?${query}` });
  }

  /** Says that a node is lost, so that its copies are replaced at once; being heard of again takes that back. */
  async declareAbsent(name: string): Promise<void> {
    await this.#dialer.ask({ method: "POST", path: `/v1/nodes/${encodeURIComponent(name)}/absent` });
  }

  /** Takes a node out of the topology, for good. */
  async removeNode(name: string, options: { force?: boolean } = {}): Promise<void> {
    const query = options.force === true ? "?force=true" : "";
    await this.#dialer.ask({ method: "DELETE", path: `/v1/nodes/${encodeURIComponent(name)}${query}` });
  }

  /** Shards that stand still, as a majority of their copies is gone. */
  async standingShards(): Promise<string[]> {
    return (await this.#dialer.ask<{ standing: string[] }>({ path: "/v1/shards" })).standing;
  }

  /** How far each node's copy of a shard is; `S05/017`. */
  shard(shard: string): Promise<ShardView> {
    return this.#dialer.ask({ path: `/v1/shards/${shard}` });
  }

  /**
   * Lets a shard that has lost the majority of its copies go on from one survivor. What only the lost copies had is lost,
   * or comes back as a lost copy.
   *
   * @throws {WaterparkError} 409 `topology/has-majority`
   */
  recoverShard(shard: string, options: { survivor?: string; force?: boolean } = {}): Promise<RecoveryView> {
    return this.#dialer.ask({
      method: "POST",
      path: `/v1/shards/${shard}/recover`,
      headers: JSON_TYPE,
      body: ENCODER.encode(JSON.stringify({ acceptDataLoss: true, ...options })),
    });
  }

  /**
   * After every process of the cluster had died: lets it go on from the journals that are there, first the topology, and
   * when asked again all shards that still wait. What only the missing journals had is lost.
   */
  recoverFromJournals(): Promise<{ shards: string[] }> {
    const body = ENCODER.encode(JSON.stringify({ acceptDataLoss: true }));
    return this.#dialer.ask({ method: "POST", path: "/v1/recover-from-journals", headers: JSON_TYPE, body });
  }

  /** Changes, for the whole cluster, how many copies in how many data centers a receipt needs. */
  async setAckRule(rule: { copies: number; dataCenters: number; force?: boolean }): Promise<void> {
    const body = ENCODER.encode(JSON.stringify(rule));
    await this.#dialer.ask({ method: "PUT", path: "/v1/topology/ack", headers: JSON_TYPE, body });
  }

  /** Copies of ended generations that nodes came back with. */
  lostCopies(): Promise<{ copies: LostCopyView[] }> {
    return this.#dialer.ask({ path: "/v1/lost" });
  }

  /** A page of a lost copy's messages, after the log index `after`. */
  lostMessages(
    copy: LostCopyName,
    page: { after?: number; limit?: number } = {},
  ): Promise<{ messages: LostMessageView[]; next: number | null }> {
    return this.#dialer.ask({ path: `${lostPath(copy)}?after=${page.after ?? 0}&limit=${page.limit ?? 100}` });
  }

  /** Sends a lost copy's messages again, or those of these ids; those that are there already stay as they are. */
  resendLost(copy: LostCopyName, ids?: readonly string[]): Promise<ResentView> {
    return this.#dialer.ask({
      method: "POST",
      path: `${lostPath(copy)}/resend`,
      headers: JSON_TYPE,
      body: ENCODER.encode(JSON.stringify({ ids })),
    });
  }

  /** Frees a lost copy for good. */
  async discardLost(copy: LostCopyName): Promise<void> {
    await this.#dialer.ask({ method: "DELETE", path: lostPath(copy) });
  }

  /** Actors written by the node that answers, in key order: at most `limit` after the key `after`. */
  actors(
    options: { after?: string; limit?: number } = {},
  ): Promise<{ actors: { key: string; seq: number }[]; next: string | null }> {
    return this.#dialer.ask({ path: `/v1/actors${query(options)}` });
  }

  /**
   * What the copies themselves say of the messages of these receipts, a verdict for each, in order. A receipt may be the
   * value or its line of a file. Nothing is changed by it.
   */
  audit(
    receipts: Iterable<AuditReceipt | string> | AsyncIterable<AuditReceipt | string>,
  ): AsyncGenerator<AuditAnswer> {
    return auditMany(this.#dialer, receipts);
  }

  /**
   * Compares the copies of at most `limit` (default 32, at most 128) shards after the shard `after` with each other.
   * `deep`: every copy reads all its bytes anew. `keys`: actors that differ are named by their keys.
   */
  auditCopies(
    options: { after?: string; limit?: number; deep?: boolean; keys?: boolean } = {},
  ): Promise<{ shards: CopiesVerdict[]; next: string | null }> {
    const { deep, keys, ...page } = options;
    const switches = { ...(deep ? { deep: "true" } : {}), ...(keys ? { keys: "true" } : {}) };
    return this.#dialer.ask({ path: `/v1/audit${query({ ...page, ...switches })}` });
  }
}

function actorPath(key: ActorKey): string {
  const { kind, facility, id } = fullKey(key);
  return `/v1/actors/${[kind, facility, id].map(encodeURIComponent).join("/")}`;
}

function lostPath({ node, shard, generation }: LostCopyName): string {
  return `/v1/lost/${encodeURIComponent(node)}/${shard}/${generation}`;
}
