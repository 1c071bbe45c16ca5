/**
 * What touches the outside, as the gateway asks for it: functions, sinks and what is under way to them, sources.
 */

/** A delivery that is decided and not carried out, or was given up. */
export interface DeliveryView {
  /** of the effect; stays the same at every attempt */
  id: string;
  /** canonical key of the actor whose handler asked */
  key: string;
  /** the message that was handled */
  seq: number;
  /** who asked */
  plugin: string;
  /** who carries it out */
  sink: string;
  /** of the message that is delivered */
  type: string;
  /**
   * `waiting` for its turn or for the next attempt, `trying`, `held` until somebody decides, `dead` laid aside as a dead
   * letter, `sent` after it was dead, `discarded`
   */
  state: "waiting" | "trying" | "held" | "dead" | "sent" | "discarded";
  /** attempts so far */
  attempts: number;
  /** why the last one failed; "" where none has */
  code: string;
  /** the same for people; may quote data of the actor */
  text: string;
  /** canonical key of the dead letter; null where it is none */
  letter: string | null;
}

/** A sink, with what has become of deliveries on the nodes that answered, since they began. */
export interface SinkView {
  /** of the plugin */
  name: string;
  /** of the live version; 0: nothing of that name is deployed, and deliveries wait for it */
  version: number;
  /** an operator has stopped it */
  isPaused: boolean;
  /** carried out */
  done: number;
  /** attempts that failed and were made again */
  retried: number;
  /** laid aside as dead letters */
  dead: number;
  /** read from the log and not carried out */
  inHand: number;
  /** of them, those that hold up their actor's later ones */
  held: number;
}

/** A source on the node where it runs, or is to run. */
export interface SourceView {
  /** of the plugin */
  name: string;
  /** of the version that is meant */
  version: number;
  /** on which node */
  node: string;
  /** `running`; `waiting` to begin again after a failure; `paused`; `elsewhere`: not on this node */
  state: "running" | "waiting" | "elsewhere" | "paused";
  /** in a row */
  failures: number;
  /** why it has failed; "" where it has not */
  code: string;
  /** the same, for people */
  text: string;
}

/** All of it. */
export interface OutsideView {
  /** what is under way, or dead letters */
  deliveries: DeliveryView[];
  /** by name */
  sinks: SinkView[];
  /** those that run, wait or are paused */
  sources: SourceView[];
  /** nodes that did not answer: what they know is missing */
  silent: string[];
}

/** What {@linkcode OutsideService.effects} lists. */
export interface EffectsQuery {
  /** only of this sink */
  sink?: string;
  /** dead letters rather than what is in hand */
  dead?: boolean;
  /** with dead letters that were sent, or discarded, since */
  settled?: boolean;
  /** deliveries at most, 1 to 1,000; default 100 */
  limit?: number;
}

/** What a function is asked. */
export interface FunctionRequest {
  /** GET, POST, PUT or DELETE */
  method: string;
  /** with the path behind the function's name */
  url: string;
  /** names in lower case */
  headers: [string, string][];
  /** the bytes */
  body: Uint8Array;
}

/** What it answers. */
export interface FunctionAnswer {
  /** HTTP status */
  status: number;
  /** names in lower case */
  headers: [string, string][];
  /** the bytes */
  body: Uint8Array;
}

/** Functions, sinks, sources. */
export interface OutsideService {
  /** What is under way, or was given up, gathered from all nodes now. */
  effects(query?: EffectsQuery): Promise<OutsideView>;
  /**
   * An operator's word about a delivery that is held or waits, or about a dead letter: try it now; with `body`, that in
   * place of what was to be sent. A dead letter is tried once, and the answer says what came of it.
   *
   * @throws {WaterparkError} `effects/no-such-delivery`, `effects/not-delivered` with the sink's reason
   */
  retry(id: string, options?: { body?: Uint8Array; by?: string }): Promise<DeliveryView>;
  /** The same: it is not sent, ever. @throws {WaterparkError} `effects/no-such-delivery` */
  discard(id: string, options?: { by?: string }): Promise<DeliveryView>;
  /**
   * Stops a handler, a channel, a sink or a source, or sets it going; what comes meanwhile is recorded, and waits.
   *
   * @throws {WaterparkError} `gateway/not-found`
   */
  pause(name: string, isPaused: boolean): Promise<void>;
  /**
   * Has a sink try its target, from this node.
   *
   * @returns what the sink says
   * @throws {WaterparkError} `plugin_host/check-failed` with its reason
   */
  check(name: string): Promise<string>;
  /** Has a function answer. @throws {WaterparkError} `gateway/not-found`, `plugin_host/threw`, `plugin_host/deadline` */
  call(name: string, request: FunctionRequest): Promise<FunctionAnswer>;
}
