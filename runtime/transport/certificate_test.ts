import "reflect-metadata";
import assert from "node:assert/strict";
import { X509Certificate } from "@peculiar/x509";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { mintClusterTls } from "./certificate.ts";
import { clusterKeys } from "./secret.ts";

const world = simulatedWorld({ time: new SimulatedTime(), random: new SeededRandom(1) });
const secret = (text: string) => new TextEncoder().encode(text);

Deno.test("certificate: one secret is one authority, and each node has a certificate of its own", async () => {
  const a = await mintClusterTls(clusterKeys(secret("a secret of 16 b")), { world, hosts: ["10.0.0.1"] });
  const b = await mintClusterTls(clusterKeys(secret("a secret of 16 b")), { world, hosts: ["10.0.0.2"] });
  const other = await mintClusterTls(clusterKeys(secret("another of 16 by")), { world, hosts: [] });
  assert.equal(a.authority, b.authority);
  assert.notEqual(a.authority, other.authority);
  assert.notEqual(a.certificate, b.certificate);
  const authority = new X509Certificate(a.authority);
  assert.equal(await authority.verify({ publicKey: authority.publicKey, signatureOnly: true }), true);
  const leaf = new X509Certificate(a.certificate);
  assert.equal(await leaf.verify({ publicKey: authority.publicKey, signatureOnly: true }), true);
  const foreign = new X509Certificate(other.authority);
  assert.equal(await leaf.verify({ publicKey: foreign.publicKey, signatureOnly: true }), false);
});

Deno.test("secret: too short is refused, none is the development secret, and derived keys differ", () => {
  assert.throws(() => clusterKeys(secret("15 bytes: short")), { code: "transport/weak-secret" });
  const none = clusterKeys(null);
  assert.equal(none.isDevelopment, true);
  const keys = clusterKeys(secret("a secret of 16 b"));
  assert.equal(keys.isDevelopment, false);
  const all = [none.proofKey, none.authoritySeed, keys.proofKey, keys.authoritySeed].map((bytes) => bytes.toHex());
  assert.equal(new Set([...all, none.admission, keys.admission]).size, 6);
});
