import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import type { PageFile } from '../api/options';

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Bundles the page: its files by path. What is loaded later, such as the chart, is a file of its own. */
export async function bundlePage(): Promise<ReadonlyMap<string, PageFile>> {
  const { outputFiles } = await build({
    entryPoints: [path.join(__dirname, 'main.tsx'), path.join(__dirname, 'style.css')],
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
    write: false,
  });
  const files = new Map<string, PageFile>();
  for (const { path: file, contents } of outputFiles) {
    const type = types[path.extname(file)];
    if (type !== undefined) {
      files.set(`/page/${path.basename(file)}`, { type, body: Buffer.from(contents), immutable: true });
    }
  }
  const named = (name: string, ending: string) =>
    [...files.keys()].find((file) => path.basename(file).startsWith(`${name}-`) && file.endsWith(ending)) ??
    '';
  const html = (await readFile(path.join(__dirname, 'index.html'), 'utf8'))
    .replace('main.js', named('main', '.js'))
    .replace('style.css', named('style', '.css'));
  files.set('/index.html', { type: 'text/html; charset=utf-8', body: Buffer.from(html), immutable: false });
  return files;
}
