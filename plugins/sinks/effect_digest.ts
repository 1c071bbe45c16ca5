/** SHA-256 of an effect's id, hexadecimal: where a target has no room for the id, or does not take its characters. */
export async function effectDigest(id: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(id));
  return new Uint8Array(digest).toHex();
}
