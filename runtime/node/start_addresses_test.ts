import assert from "node:assert/strict";
import { checkStartAddresses, type StartAddresses } from "./start_addresses.ts";

const refused = (addresses: StartAddresses, code: string, hasSecret = true) =>
  assert.throws(() => checkStartAddresses(addresses, hasSecret), { code, outcome: "not-applied" });

Deno.test("an address that is every machine's is told to nobody", () => {
  for (const listen of ["0.0.0.0:4600", "0:4600", "[::]:4600", "[0:0:0:0:0:0:0:0]:0", "[::ffff:0.0.0.0]:4600"]) {
    refused({ listen }, "node/advertise-needed");
    refused({ listen: "10.0.0.1:4600", advertise: listen }, "node/advertise-needed");
    checkStartAddresses({ listen, advertise: "10.0.0.1:4600" }, true);
  }
  for (const listen of ["10.0.0.1:4600", "127.0.0.1:0", "[::1]:4600", "node-0:4600", "[2001:db8::]:4600"]) {
    checkStartAddresses({ listen }, true);
  }
  refused({ listen: "0.0.0.0" }, "transport/bad-address");
});

Deno.test("clients are listened to everywhere only with a secret", () => {
  const listen = "127.0.0.1:0";
  refused({ listen, http: "0.0.0.0:8600" }, "transport/secret-needed", false);
  refused({ listen, http: false, mllp: "10.0.0.1:2575" }, "transport/secret-needed", false);
  checkStartAddresses({ listen, http: "127.0.0.1:8600", mllp: false }, false);
  checkStartAddresses({ listen, http: "0.0.0.0:8600" }, true);
});
