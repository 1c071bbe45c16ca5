/** Every way in which a connection is refused or fails; `waterpark explain` knows the codes. */
import { type Outcome, WaterparkError } from "../base/mod.ts";

/** What a node may say in a refusal. Text from the other side is never shown, only the code's own sentence. */
export const REFUSALS = {
  "transport/wrong-secret": "both nodes must have the same cluster secret: the secrets differ",
  "transport/wrong-cluster": "both nodes must belong to the same cluster: the other one belongs to another",
  "transport/wrong-version": "both nodes must speak a common protocol version: there is none",
  "transport/self": "a node does not link to itself: the address is its own",
  "transport/full": "the number of unproved connections is bounded: too many at once",
  "transport/closing": "a node that is leaving takes no links: it is leaving",
  "transport/bad-hello": "a hello must be well-formed and come first: it was not",
} as const;

/** The code of a refusal. */
export type RefusalCode = keyof typeof REFUSALS;

/** Whether `code` is one that a node may refuse with. */
export function isRefusal(code: unknown): code is RefusalCode {
  return typeof code === "string" && Object.hasOwn(REFUSALS, code);
}

/** The error that both sides of a refused link show. */
export function refusedError(code: RefusalCode, address: string, cause?: unknown): WaterparkError {
  return new WaterparkError(`Cannot link to "${address}" as ${REFUSALS[code]}`, {
    code,
    outcome: "not-applied",
    cause,
  });
}

/** The error for a peer that does not answer. */
export function unreachable(address: string, state: string, cause?: unknown): WaterparkError {
  return transportError("unreachable", `Cannot link to "${address}" as it must answer in time: ${state}`, cause);
}

/** An error of this room that changed nothing anywhere. */
export function transportError(
  code: string,
  message: string,
  cause?: unknown,
  outcome: Outcome = "not-applied",
): WaterparkError {
  return new WaterparkError(message, { code: `transport/${code}`, outcome, cause });
}

/** rustls' words for a certificate that another secret has signed; both QUIC and WebSocket show them. */
const FOREIGN_CERTIFICATE = /BadSignature|UnknownIssuer|decrypt_error|unknown_ca|error (48|51):/;

/** The error of a failed dial: a foreign certificate is a wrong secret, all else is "unreachable". */
export function dialError(address: string, cause: unknown): WaterparkError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return FOREIGN_CERTIFICATE.test(text)
    ? refusedError("transport/wrong-secret", address, cause)
    : unreachable(address, text, cause);
}
