/**
 * Poll: questions to nodes about their own copies, gathered so that one request carries what a moment has brought for one
 * node. Who is suspected is not asked, and who does not answer in time, or in no known form, could not be asked: that is
 * an answer, too.
 */
import type { World } from "../world/mod.ts";
import { type Question, QUESTIONS_MAX, readQuestions, readReplies, type Reply } from "./audit_questions.ts";
import type { Witness } from "./audit_witness.ts";
import { failed, type Requests } from "./requests.ts";

/** Times of a poll. */
export interface PollConfig {
  /** how long questions wait for company, ms */
  gatherMs: number;
  /** how long a node may take to look messages up, ms */
  answerMs: number;
  /** how long a node may take to go through whole shards, ms */
  summaryMs: number;
}

/** What a poll needs. */
export interface PollOptions {
  world: World;
  self: number;
  requests: Requests;
  witness: Witness;
  isSuspect(incarnation: number): boolean;
  config: PollConfig;
}

/** Gets a node's reply; null: it could not be asked. */
type Taker = (reply: Reply | null) => void;

interface Outgoing {
  questions: Question[];
  takers: Taker[];
}

const METHOD = "audit";

/** Asks nodes, and answers those that ask. */
export class Poll {
  readonly #options: PollOptions;
  // Quick questions do not travel with slow ones: they would wait for their answers.
  readonly #quick = new Map<number, Outgoing>();
  readonly #slow = new Map<number, Outgoing>();
  #isPlanned = false;

  constructor(options: PollOptions) {
    this.#options = options;
    options.requests.handle(METHOD, (body, done) => {
      const isTaken = options.witness.answer(readQuestions(body), (value) => done({ ok: true, value }));
      if (!isTaken) done(failed("node/busy", "not-applied", "Cannot audit as too many questions wait: ask again"));
    });
  }

  /** Puts one question to each of the nodes; `done` once, with a reply for each. */
  ask(nodes: readonly number[], question: Question, done: (replies: Map<number, Reply | null>) => void): void {
    const replies = new Map<number, Reply | null>();
    if (nodes.length === 0) return done(replies);
    for (const node of nodes) {
      this.#put(node, question, (reply) => {
        replies.set(node, reply);
        if (replies.size === nodes.length) done(replies);
      });
    }
  }

  #put(node: number, question: Question, taker: Taker): void {
    const waiting = question.ask === "copy" || question.ask === "message" ? this.#quick : this.#slow;
    let outgoing = waiting.get(node);
    if (outgoing === undefined) waiting.set(node, outgoing = { questions: [], takers: [] });
    outgoing.questions.push(question);
    outgoing.takers.push(taker);
    if (outgoing.questions.length >= QUESTIONS_MAX) {
      waiting.delete(node);
      this.#send(node, outgoing, this.#timeoutMs(waiting));
    }
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.#options.world.after(this.#options.config.gatherMs, () => this.#flush());
  }

  #flush(): void {
    this.#isPlanned = false;
    for (const waiting of [this.#quick, this.#slow]) {
      const all = [...waiting];
      waiting.clear();
      for (const [node, outgoing] of all) this.#send(node, outgoing, this.#timeoutMs(waiting));
    }
  }

  #timeoutMs(waiting: Map<number, Outgoing>): number {
    const { answerMs, summaryMs } = this.#options.config;
    return waiting === this.#quick ? answerMs : summaryMs;
  }

  #send(node: number, { questions, takers }: Outgoing, timeoutMs: number): void {
    const { self, requests, isSuspect } = this.#options;
    const end = (replies: Reply[] | null) => takers.forEach((take, i) => take(replies === null ? null : replies[i]));
    if (node !== self && isSuspect(node)) return end(null);
    requests.ask(node, METHOD, questions, {
      timeoutMs,
      done: (result) => {
        if (!result.ok) return end(null);
        let replies: Reply[] | null = null;
        try {
          replies = readReplies(result.value, questions);
        } catch {
          // Whoever does not speak this language has said nothing.
        }
        end(replies);
      },
    });
  }
}
