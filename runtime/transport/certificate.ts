/**
 * The cluster's certificates, made from the secret alone: no file to copy, no authority to ask, nothing to renew.
 *
 * Every node computes the same Ed25519 authority, byte for byte (fixed serial number, fixed dates, and Ed25519
 * signatures are deterministic, RFC 8032), signs a certificate of its own at each start, and trusts no other authority.
 * Who has the secret can be any node; that is the model: nodes differ in nothing.
 *
 * Loaded on demand, as the X.509 code costs 25 ms to load and a simulation needs none of it.
 */
import "reflect-metadata";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { isIP } from "node:net";
import { gates, type World } from "../world/mod.ts";
import { CLUSTER_NAME, type ClusterKeys, type ClusterTls } from "./secret.ts";

const ALGORITHM = { name: "Ed25519" };
const AUTHORITY_NAME = "CN=Waterpark cluster authority";
// Wide on purpose: a cluster that runs for years must not end because a date has passed, and a node whose clock is
// wrong must still be able to say so.
const NOT_BEFORE = new Date("2020-01-01T00:00:00Z");
const NOT_AFTER = new Date("2120-01-01T00:00:00Z");
/** RFC 8410: what stands before the 32 bytes of an Ed25519 seed in PKCS #8. */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");

/**
 * The authority's certificate and a fresh one for this node.
 *
 * @param options.hosts names and IP addresses under which this node is dialled; loopback's are always added
 */
export async function mintClusterTls(
  keys: ClusterKeys,
  options: { world: World; hosts: string[] },
): Promise<ClusterTls> {
  const { subtle } = gates.webCrypto;
  const signingKey = await subtle.importKey("pkcs8", pkcs8(keys.authoritySeed), ALGORITHM, true, ["sign"]);
  const { x } = await subtle.exportKey("jwk", signingKey);
  const authorityKey = await subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x }, ALGORITHM, true, ["verify"]);
  const dates = { notBefore: NOT_BEFORE, notAfter: NOT_AFTER };
  const authority = await X509CertificateGenerator.create({
    ...dates,
    serialNumber: "01",
    subject: AUTHORITY_NAME,
    issuer: AUTHORITY_NAME,
    publicKey: authorityKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    ],
  });
  const own = await subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
  const certificate = await X509CertificateGenerator.create({
    ...dates,
    serialNumber: "01" + options.world.randomBytes(15).toHex(),
    subject: "CN=Waterpark node",
    issuer: AUTHORITY_NAME,
    publicKey: own.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(alternativeNames(options.hosts)),
    ],
  });
  const key = new Uint8Array(await subtle.exportKey("pkcs8", own.privateKey));
  return {
    authority: authority.toString("pem"),
    certificate: certificate.toString("pem"),
    key: pem("PRIVATE KEY", key),
  };
}

function alternativeNames(hosts: string[]): JsonGeneralName[] {
  const all = new Set([CLUSTER_NAME, "localhost", "127.0.0.1", "::1", ...hosts]);
  return [...all].map((host) => ({ type: isIP(host) === 0 ? "dns" : "ip", value: host }));
}

function pkcs8(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PKCS8_PREFIX.length + seed.length);
  bytes.set(PKCS8_PREFIX);
  bytes.set(seed, PKCS8_PREFIX.length);
  return bytes;
}

function pem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
