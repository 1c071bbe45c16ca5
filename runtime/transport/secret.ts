/**
 * What is derived from the cluster secret, each by HKDF-SHA256 (RFC 5869) with a label of its own, so that no derived
 * key tells anything about another or about the secret.
 *
 * The certificate authority's *public* key is shown to everyone who connects, so a short or guessable secret can be
 * tried out offline: 16 random bytes are the least.
 */
import { createHmac, hkdfSync } from "node:crypto";
import { transportError } from "./errors.ts";

/** The shortest secret, in bytes. */
export const SECRET_BYTES_MIN = 16;

/**
 * Stands in where no secret is given: a node then listens on loopback only. Everybody knows it, so it protects nothing;
 * it is there so that a cluster on one machine runs through the same TLS and the same handshake.
 */
const DEVELOPMENT_SECRET = new TextEncoder().encode("waterpark development secret: loopback only");

/** Keys of one cluster. */
export interface ClusterKeys {
  /** true where no secret was given */
  readonly isDevelopment: boolean;
  /** 32 bytes: the seed of the certificate authority's Ed25519 key */
  readonly authoritySeed: Uint8Array;
  /** 32 bytes: the key by which both sides of a link prove that they know the secret */
  readonly proofKey: Uint8Array;
  /** Hexadecimal; lets a dialler past the WebSocket door, before anything is held for it. Sent only inside TLS. */
  readonly admission: string;
}

/**
 * The keys of a cluster.
 *
 * @param secret at least {@linkcode SECRET_BYTES_MIN} bytes; `null` for development on loopback
 * @throws {WaterparkError} `transport/weak-secret`
 */
export function clusterKeys(secret: Uint8Array | null): ClusterKeys {
  if (secret !== null && secret.length < SECRET_BYTES_MIN) {
    throw transportError(
      "weak-secret",
      `Cannot use the cluster secret as it must have at least ${SECRET_BYTES_MIN} bytes: ${secret.length} bytes`,
    );
  }
  const material = secret ?? DEVELOPMENT_SECRET;
  return {
    isDevelopment: secret === null,
    authoritySeed: derive(material, "waterpark certificate authority 1"),
    proofKey: derive(material, "waterpark link proof 1"),
    admission: derive(material, "waterpark admission 1").toHex(),
  };
}

/** A name that every node's certificate bears: dialling by IP address then needs no address in it. */
export const CLUSTER_NAME = "waterpark.internal";

/** PEM texts for TLS. */
export interface ClusterTls {
  /** the authority, byte-equal on all nodes of a cluster */
  readonly authority: string;
  /** this node's certificate */
  readonly certificate: string;
  /** the key of this node's certificate */
  readonly key: string;
}

/** HMAC-SHA256 over the parts, one after the other. */
export function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}

/** Whether two byte strings are equal, in a time that does not depend on where they differ. */
export function isEqualSecret(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

function derive(material: Uint8Array, label: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", material, new Uint8Array(0), label, 32));
}
