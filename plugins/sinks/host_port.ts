const HOST_PORT = /^(\[[0-9a-f:]+\]|[^\s:,/]+):(\d+)$/i;

/** The parts of a `host:port`, brackets of an IPv6 address left out; null when it is none. */
export function hostPort(text: string): { host: string; port: number } | null {
  const [, host, port] = HOST_PORT.exec(text) ?? [];
  return host === undefined ? null : { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}
