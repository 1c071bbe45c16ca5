/**
 * Builds into a bundle the files that its packages read beside themselves when they start: a package that has WebAssembly
 * says `readFileSync(new URL("../dist/native.wasm", import.meta.url))`. In a bundle there is nothing beside it any more, and
 * no permission to look. (The Kafka client's checksums are such a file.)
 *
 * The bundler's comments, `// path/of/module.js` before each module, say where a module was. Only what a package has in
 * its own folder is taken: else a package could have whoever bundles it pack up any file of his.
 *
 * @module
 */

const READ = /\breadFileSync\(\s*new URL\(\s*(["'])([^"'\\\n]+)\1\s*,\s*import\.meta\.url\s*\)\s*\)/g;
const MODULE = /^\/\/ (\S+\.[cm]?js)$/gm;
// .../registry.npmjs.org/@scope/name/1.2.3/
const PACKAGE = /^.*\/registry\.npmjs\.org\/(?:@[^/]+\/)?[^/@]+\/\d[^/]*\//;

/**
 * The bundle with such files in it; whatever is read in another way is left as it is.
 *
 * @param bundle as `deno bundle --format esm` writes it, not minified
 * @param options.from URL of the folder in which the bundler ran: its comments are relative to that
 * @param options.read a file's bytes; null when there is none, and the call stays
 */
export function inlineFiles(
  bundle: string,
  options: { from: URL; read: (file: URL) => Uint8Array | null },
): string {
  const modules = [...bundle.matchAll(MODULE)].map(({ index, 1: path }) => ({
    index,
    url: new URL(path, options.from),
  }));
  return bundle.replace(READ, (call, _quote, path: string, index: number) => {
    const module = modules.findLast((one) => one.index < index);
    const own = module && PACKAGE.exec(module.url.href)?.[0];
    if (!own) return call;
    const file = new URL(path, module.url);
    const bytes = file.href.startsWith(own) ? options.read(file) : null;
    return bytes === null ? call : `Buffer.from("${bytes.toBase64()}", "base64")`;
  });
}
