/** Runs `body` with a folder of its own, gone afterwards. */
export async function withFolder(body: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await body(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}
