import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PageFile } from '../api/options';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Folder next to this module. `npm run build` puts the page's files there. */
export const builtPage = 'built';

/** Returns the page's files by URL path. They were built beforehand or, in a checkout, are bundled by this call. */
export async function bundlePage(): Promise<ReadonlyMap<string, PageFile>> {
  const built = path.join(__dirname, builtPage);
  return existsSync(built) ? readBuilt(built) : (await buildPage()).files;
}

/** The page's files, and the source files from the checkout and its packages that went into them. */
export interface BuiltPage {
  readonly files: ReadonlyMap<string, PageFile>;
  readonly sources: readonly string[];
}

/** Bundles the page from its sources. Lazily loaded modules, such as the chart, are separate files. */
export async function buildPage(): Promise<BuiltPage> {
  // Import esbuild only here, because the built program does not include it.
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    entryPoints: [path.join(__dirname, 'main.tsx'), path.join(__dirname, 'style.css')],
    absWorkingDir: path.dirname(__dirname),
    outdir: '/page',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
    metafile: true,
    write: false,
  });
  const files = new Map<string, PageFile>();
  for (const { path: file, contents } of outputFiles) {
    addFile(files, `/page/${path.basename(file)}`, Buffer.from(contents));
  }
  const named = (name: string, ending: string) =>
    [...files.keys()].find((file) => path.basename(file).startsWith(`${name}-`) && file.endsWith(ending)) ??
    '';
  const html = (await readFile(path.join(__dirname, 'index.html'), 'utf8'))
    .replace('main.js', named('main', '.js'))
    .replace('style.css', named('style', '.css'));
  addFile(files, '/index.html', Buffer.from(html));
  return { files, sources: Object.keys(metafile.inputs) };
}

async function readBuilt(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    addFile(files, `/${path.relative(folder, file)}`, await readFile(file));
  }
  return files;
}

/** Adds a file. The names of all files but index.html contain a hash, so browsers may cache these files forever. */
function addFile(files: Map<string, PageFile>, name: string, body: Buffer): void {
  const type = types[path.extname(name)];
  if (type !== undefined) files.set(name, { type, body, immutable: name !== '/index.html' });
}
