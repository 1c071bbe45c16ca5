/**
 * How a sink or source shows a server who it is, and finds out whether the server is who it says. Secrets are named, never
 * written down: they come from the node's environment, certificates from its files.
 *
 * @module
 */
import { environment } from "./template.ts";

/** TLS: `true` for the authorities that the system trusts, or files (PEM). */
export type Tls = boolean | {
  /** certificates of the authorities to be trusted, in place of the usual ones */
  readonly caFile?: string;
  /** our own certificate, and its key */
  readonly certFile?: string;
  readonly keyFile?: string;
};

/** A name, and the environment variable that has the password. */
export interface Login {
  readonly user: string;
  readonly passwordEnv: string;
}

/** What the files say, as `node:tls` wants it; null without TLS. */
export interface TlsContext {
  ca?: string;
  cert?: string;
  key?: string;
}

/** The permissions that they need. */
export function permissionsOf({ tls, login }: { tls?: Tls; login?: Login }): { read: string[]; env: string[] } {
  const { caFile, certFile, keyFile } = typeof tls === "object" ? tls : {};
  return {
    read: [caFile, certFile, keyFile].filter((file) => file !== undefined),
    env: login === undefined ? [] : [login.passwordEnv],
  };
}

/** Reads the files. */
export async function tlsContext(tls: Tls | undefined): Promise<TlsContext | null> {
  if (tls === undefined || tls === false) return null;
  const { caFile, certFile, keyFile } = typeof tls === "object" ? tls : {};
  const context: TlsContext = {};
  if (caFile !== undefined) context.ca = await Deno.readTextFile(caFile);
  if (certFile !== undefined) context.cert = await Deno.readTextFile(certFile);
  if (keyFile !== undefined) context.key = await Deno.readTextFile(keyFile);
  return context;
}

/** The password. */
export function passwordOf({ passwordEnv }: Login): string {
  return environment(passwordEnv);
}
