import { transportError } from "./errors.ts";

/** A host and a port. */
export interface HostPort {
  /** a name or an IP address, IPv6 without brackets */
  host: string;
  /** 0 to 65535 */
  port: number;
}

/**
 * Reads `host:port` or `[v6]:port`.
 *
 * @throws {WaterparkError} `transport/bad-address`
 */
export function parseAddress(address: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/\[\]@]+)):(\d{1,5})$/.exec(address);
  const port = match === null ? NaN : Number(match[3]);
  if (match === null || port > 65535) {
    throw transportError("bad-address", `Cannot use "${address.slice(0, 100)}" as an address must be host:port`);
  }
  return { host: match[1] ?? match[2], port };
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a host is this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Whether a host stands for all addresses of the machine: something to listen at, and nothing to be found at. */
export function isUnspecified(host: string): boolean {
  return /^0+(\.0+){0,3}$/.test(host) || /^[0:]*:(ffff:)?(0|0\.0\.0\.0)?$/i.test(host);
}
