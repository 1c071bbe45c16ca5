/**
 * The MLLP listener beside `@medplum/hl7`'s client, in original and in enhanced mode.
 */
import assert from "node:assert/strict";
import { Hl7Message } from "@medplum/core";
import { MllpListener } from "../../runtime/gateway/mod.ts";
import { systemWorld } from "../../runtime/world/mod.ts";
import { medplumHl7 } from "./medplum_hl7.ts";
import { FakeService } from "./mllp_fake_service.ts";

const medplum = await medplumHl7("mllp listener: @medplum/hl7 as the sender");

const message = (id: string, rest = "") =>
  Hl7Message.parse(`MSH|^~\\&|EHR|HOSPX|WP|DC|20260101||ADT^A08|${id}|P|2.5${rest}\rPID|||1001||Müller^Zoë`);

Deno.test({
  name: "mllp listener: @medplum/hl7 sends, and understands AA, AR, CA and the AA behind it",
  ignore: medplum === null,
  async fn() {
    const service = new FakeService();
    const listener = await MllpListener.listen({ world: systemWorld(), service, hostname: "127.0.0.1", port: 0 });
    const port = Number(listener.address.split(":")[1]);
    const client = new medplum!.Hl7Client({ host: "127.0.0.1", port, encoding: "utf-8", keepAlive: true });
    const told = async (id: string, rest = "", returnAck: "first" | "application" = "first") => {
      const ack = (await client.sendAndWait(message(id, rest), { returnAck, timeoutMs: 5_000 })).getSegment("MSA");
      return `${ack?.getComponent(1, 1)} ${ack?.getComponent(2, 1)}`;
    };
    assert.equal(await told("1"), "AA 1");
    assert.equal(await told("2", "|||AL|NE"), "CA 2");
    assert.equal(await told("3", "|||AL|AL", "application"), "AA 3");
    assert.equal(await told("4", "|||NE|AL", "application"), "AA 4");
    service.answer = () =>
      Promise.resolve({ state: "refused", code: "mailroom/conflict", outcome: "not-applied", message: "other bytes" });
    assert.equal(await told("1"), "AR 1");
    assert.equal(await told("2", "|||AL|AL"), "CR 2");
    assert.ok(new TextDecoder().decode(service.posted[0].payload).includes("Müller^Zoë"));
    await client.close();
    await listener.close();
  },
});
