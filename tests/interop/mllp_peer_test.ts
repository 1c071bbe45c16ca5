import assert from "node:assert/strict";
import Client, { type InboundResponse, Message } from "node-hl7-client";
import { MllpListener } from "../../runtime/gateway/mllp_listener.ts";
import { systemWorld } from "../../runtime/world/mod.ts";
import { FakeService } from "./mllp_fake_service.ts";

Deno.test("mllp listener: node-hl7-client sends and understands the answers", async () => {
  const service = new FakeService();
  service.answer = (request) =>
    Promise.resolve(
      request.id === "HOSPX/busy"
        ? { state: "refused", code: "mailroom/busy", outcome: "not-applied", message: "busy", retryAfterMs: 100 }
        : { state: "recorded", receipt: {}, duplicate: false } as never,
    );
  const listener = await MllpListener.listen({ world: systemWorld(), service, hostname: "127.0.0.1", port: 0 });
  const responses: string[] = [];
  let onResponse = () => {};
  const client = new Client({ host: "127.0.0.1", version: "2.5" });
  const connection = client.createConnection(
    { port: Number(listener.address.split(":")[1]), version: "2.5" },
    (response: InboundResponse) => {
      const message = response.getMessage();
      responses.push([1, 2].map((field) => message.get(`MSA.${field}`).toString()).join(" "));
      onResponse();
      return Promise.resolve();
    },
  );
  for (const [controlId, patient] of [["m1", "1001"], ["busy", "1001"], ["m2", "1002"], ["nokey", ""]]) {
    const answered = new Promise<void>((resolve) => onResponse = resolve);
    const text = `MSH|^~\\&|EHR|HOSPX|WP|DC|20260101120000||ADT^A01^ADT_A01|${controlId}|P|2.5\r` +
      `EVN|A01|20260101120000\rPID|1||${patient}^^^MRN||Müller^Zoë\rPV1|1|I`;
    await connection.sendMessage(new Message({ text }));
    await answered;
  }
  assert.deepEqual(responses, ["AA m1", "AE busy", "AA m2", "AR nokey"]);
  assert.ok(new TextDecoder().decode(service.posted[0].payload).includes("Müller^Zoë"), "bytes as sent");
  await connection.close();
  await listener.close();
});
