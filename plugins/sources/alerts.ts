/**
 * alerts: looks at the cluster now and then, by rules, and tells when one begins to hold, and when it does no more.
 *
 *     import { alerts } from "@waterpark/waterpark/sources/alerts";
 *     export default alerts({
 *       rules: [
 *         { when: "silence", facility: "HOSPX", minutes: 15 },
 *         { when: "queued", over: 5_000 },
 *         { when: "failing" },
 *         { when: "parked" },
 *         { when: "node" },
 *       ],
 *       to: [{ webhook: "https://hooks.example/ward" }, { actor: { kind: "alarm", facility: "HOSPX", id: "ops" } }],
 *     });
 *
 * It runs on one node, and on another when that dies; what it has told is its cursor, so that nothing is told twice. What
 * goes to an actor is a message like any other: a channel sends it on by whatever sink there is, mail among them.
 *
 * @module
 */
import {
  type ClusterStatus,
  defineSource,
  type Permissions,
  type SourceContext,
  type SourceDefinition,
  type SourceKey,
} from "@waterpark/waterpark";
import { type AlertRule, type Finding, findingsIn, silenceOf } from "./alert_rules.ts";
import { pause } from "./pause.ts";

export type { AlertRule } from "./alert_rules.ts";

/** Who is told: a URL by POST of JSON, or an actor by a message of type `alert`. */
export type AlertTarget = { readonly webhook: string } | { readonly actor: SourceKey };

/** What is looked at, and who is told. */
export interface AlertsOptions {
  /** the source's name; usual: `alerts` */
  readonly name?: string;
  /** what should not hold */
  readonly rules: readonly AlertRule[];
  /** all of them are told */
  readonly to: readonly AlertTarget[];
  /** seconds from look to look; usual: 60 */
  readonly everySeconds?: number;
  /** what goes on is told again after so many minutes; usual: 240 */
  readonly againMinutes?: number;
}

/** What is told. */
export interface Alert {
  /** the same for as long as it goes on, and when it is over */
  readonly id: string;
  readonly state: "begins" | "goes on" | "is over";
  /** for people; without data of an actor */
  readonly text: string;
  /** when it began, ISO 8601 */
  readonly since: string;
}

interface Open {
  since: number;
  toldAt: number;
  text: string;
}

const WEBHOOK_MS = 10_000;

/**
 * A source that gives alarm; a plugin's module exports the answer as its default. It may connect to its webhooks.
 *
 * @throws {TypeError} when a webhook is no URL
 *
 * @example
 * ```ts
 * import { alerts } from "./alerts.ts";
 * const source = alerts({ rules: [{ when: "failing" }], to: [{ webhook: "https://hooks.example/ward" }] });
 * if (source.permissions?.net?.[0] !== "hooks.example:443") throw new Error("unreachable");
 * ```
 */
export function alerts(options: AlertsOptions): SourceDefinition & { readonly plugin: "source" } {
  const { name = "alerts", rules, to, everySeconds = 60, againMinutes = 240 } = options;
  return defineSource({
    name,
    permissions: permissionsOf(to),
    runsOn: "one",
    async run(context) {
      let before: ClusterStatus | null = null;
      const open = new Map<string, Open>(Object.entries(await context.cursor() as Record<string, Open> ?? {}));
      while (!context.signal.aborted) {
        const now = await context.status();
        const findings = await allFindings(rules, { context, now, before });
        before = now;
        const told = alertsFrom(findings, open, { nowMs: Date.now(), againMs: againMinutes * 60_000 });
        for (const alert of told) await Promise.all(to.map((target) => tell(target, alert, context)));
        if (told.length > 0) await context.keep(Object.fromEntries(open));
        await pause(everySeconds * 1_000, context.signal);
      }
    },
  });
}

/** What is to be told, and what is open from now on. */
export function alertsFrom(
  findings: readonly Finding[],
  open: Map<string, Open>,
  { nowMs, againMs }: { nowMs: number; againMs: number },
): Alert[] {
  const told: Alert[] = [];
  const say = (id: string, state: Alert["state"], { text, since }: Open) =>
    told.push({ id, state, text, since: new Date(since).toISOString() });
  const present = new Set<string>();
  for (const { id, text } of findings) {
    present.add(id);
    const known = open.get(id);
    const entry = { since: known?.since ?? nowMs, toldAt: nowMs, text };
    if (known !== undefined && nowMs - known.toldAt < againMs) continue;
    open.set(id, entry);
    say(id, known === undefined ? "begins" : "goes on", entry);
  }
  for (const [id, entry] of open) {
    if (present.has(id)) continue;
    open.delete(id);
    say(id, "is over", entry);
  }
  return told;
}

async function allFindings(
  rules: readonly AlertRule[],
  { context, now, before }: { context: SourceContext; now: ClusterStatus; before: ClusterStatus | null },
): Promise<Finding[]> {
  const findings = new Map<string, Finding>();
  for (const rule of rules) {
    const found = rule.when === "silence" ? await silence(rule, context) : findingsIn(rule, now, before);
    for (const finding of found) findings.set(finding.id, finding);
  }
  return [...findings.values()];
}

async function silence(rule: AlertRule & { when: "silence" }, { find }: SourceContext): Promise<Finding[]> {
  const { minutes, facility, kind, type } = rule;
  const { messages, isWhole } = await find({
    ...facility === undefined ? {} : { facility },
    ...kind === undefined ? {} : { kind },
    ...type === undefined ? {} : { type },
    since: Date.now() - minutes * 60_000,
    limit: 1,
  });
  // Where not all could be looked through, nobody knows: no alarm is better than a false one every night.
  return messages.length > 0 || !isWhole ? [] : [silenceOf(rule)];
}

async function tell(target: AlertTarget, alert: Alert, { send }: SourceContext): Promise<void> {
  if ("actor" in target) {
    await send(target.actor, {
      id: `${alert.id} ${alert.since} ${alert.state} ${Date.now()}`,
      type: "alert",
      body: alert,
    });
    return;
  }
  const answer = await fetch(target.webhook, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(alert),
    signal: AbortSignal.timeout(WEBHOOK_MS),
  });
  await answer.body?.cancel();
  // The source begins again, with what it had told before: it is told once more rather than never.
  if (!answer.ok) throw new Error(`the webhook answers ${answer.status}`);
}

function permissionsOf(to: readonly AlertTarget[]): Permissions {
  const hosts = to.flatMap((target) => {
    if ("actor" in target) return [];
    const { hostname, port, protocol } = new URL(target.webhook);
    return [`${hostname}:${port || (protocol === "https:" ? 443 : 80)}`];
  });
  return hosts.length === 0 ? {} : { net: [...new Set(hosts)] };
}
