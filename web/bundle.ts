import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PageFile } from '../api/options';
import { ownValue } from '../etl/own-value';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Name of the folder, next to this module, into which `npm run build` writes the page's files. */
export const builtPage = 'built';

/**
 * Returns the page's files, keyed by URL path. Reads them from the build. In a checkout without a build, bundles them
 * now.
 */
export async function bundlePage(): Promise<ReadonlyMap<string, PageFile>> {
  const built = path.join(__dirname, builtPage);
  return existsSync(built) ? readBuilt(built) : (await buildPage()).files;
}

/** The page's files, and the paths of all sources that went into them, including sources from npm packages. */
export interface BuiltPage {
  readonly files: ReadonlyMap<string, PageFile>;
  readonly sources: readonly string[];
}

/** Bundles the page from its sources. Modules that are loaded lazily, such as the chart, become separate files. */
export async function buildPage(): Promise<BuiltPage> {
  // Import esbuild only here. It is a development dependency, so the built program does not have it.
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

/** Adds a file. All file names except index.html contain a hash, so browsers may cache these files forever. */
function addFile(files: Map<string, PageFile>, name: string, body: Buffer): void {
  const type = ownValue(types, path.extname(name));
  if (type !== undefined) files.set(name, { type, body, immutable: name !== '/index.html' });
}
