import { selfSigned } from "../interop/self_signed.ts";

/** Has a certificate that vouches for itself as localhost, as text and in files. */
export async function withCertificate(
  body: (files: { caFile: string; certFile: string; keyFile: string; cert: string; key: string }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "waterpark-tls-" });
  try {
    const { cert, key } = await selfSigned();
    const [certFile, keyFile] = [`${folder}/cert.pem`, `${folder}/key.pem`];
    await Deno.writeTextFile(certFile, cert);
    await Deno.writeTextFile(keyFile, key);
    await body({ caFile: certFile, certFile, keyFile, cert, key });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
