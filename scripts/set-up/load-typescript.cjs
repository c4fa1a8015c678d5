'use strict';

// Lets this process load the TypeScript sources of a checkout: `node --require <this file> program.ts`. Each source is
// compiled once. Later starts take the compiled code from node_modules/.cache, as long as the source has the same bytes.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { isMainThread, threadId } = require('node:worker_threads');
const { compilerOptions, sourcesOf } = require('./compiler.cjs');

const root = path.resolve(__dirname, '..', '..');
const cache = path.join(root, 'node_modules', '.cache', 'federated-etl', 'compiled');

/** Age in milliseconds at which compiled code is deleted. If it is needed again, it is compiled again. */
const OLD_MS = 30 * 24 * 60 * 60_000;

/** Compiled code that could not be written to the cache, by digest. */
const unwritten = new Map();
/** Digests of the modules that this process has loaded, by file. */
const loaded = new Map();
let explained = false;

/** From now on, `require` and `import` load `.ts` files, and stack traces have their line numbers. */
function register() {
  // Also keep V8's compiled code, which saves a fifth of the time of a start. Node compares it with the JavaScript.
  Module.enableCompileCache(path.join(cache, 'v8'));
  Module._extensions['.ts'] = (module, file) => {
    const source = fs.readFileSync(file);
    const digest = digestOf(source);
    loaded.set(file, digest);
    module._compile(withoutMap(read(digest) ?? compile(file, source, digest)), file);
  };
  Error.prepareStackTrace = (error, sites) =>
    [Error.prototype.toString.call(error), ...sites.map((site) => `    at ${inSource(site)}`)].join('\n');
}

/** Returns the compiled code of a source. Also compiles all other sources of the program that are not in the cache. */
function compile(file, source, digest) {
  try {
    compileProgram();
  } catch {
    // Another source does not compile, or is being written. It need not concern this one.
  }
  const code = read(digest);
  if (code !== undefined) return code;
  // This source does not belong to the program, or it has just been changed.
  const [{ text }] = build({
    stdin: { contents: source, sourcefile: file, resolveDir: path.dirname(file), loader: 'ts' },
  });
  keep(digest, text);
  return text;
}

function compileProgram() {
  const digests = new Map(sourcesOf(root).map((file) => [file, digestInRoot(file)]));
  const missing = [...digests].filter(([, digest]) => read(digest) === undefined).map(([file]) => file);
  if (missing.length === 0) return;
  const compiled = new Map(
    build({ entryPoints: missing, outdir: root, outbase: root }).map(({ path: at, text }) => [at, text]),
  );
  for (const file of missing) {
    // If the source has changed meanwhile, it is unknown which version was compiled.
    if (digestInRoot(file) !== digests.get(file)) continue;
    keep(digests.get(file), compiled.get(path.join(root, file.replace(/\.ts$/, '.js'))));
  }
  deleteOld();
}

const buildOptions = {
  ...compilerOptions,
  absWorkingDir: root,
  write: false,
  sourcemap: 'inline',
  sourcesContent: false,
  logLevel: 'silent',
};

function build(input) {
  return require('esbuild').buildSync({ ...input, ...buildOptions }).outputFiles;
}

/** Writes compiled code to the cache. Another process may do the same at the same time. */
function keep(digest, code) {
  const file = path.join(cache, `${digest}.js`);
  const temporary = `${file}.${process.pid}-${threadId}`;
  try {
    fs.mkdirSync(cache, { recursive: true });
    fs.writeFileSync(temporary, code);
    fs.renameSync(temporary, file);
  } catch (error) {
    unwritten.set(digest, code);
    if (!explained && isMainThread)
      console.error(`The program is compiled at each start, as ${cache} cannot be written: ${error.message}`);
    explained = true;
  }
}

function read(digest) {
  try {
    const code = unwritten.get(digest) ?? fs.readFileSync(path.join(cache, `${digest}.js`), 'utf8');
    // A power failure may have cut the file.
    return code.includes(mapMark) ? code : undefined;
  } catch {
    return undefined;
  }
}

function deleteOld() {
  for (const name of fs.readdirSync(cache)) {
    const file = path.join(cache, name);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() && Date.now() - stat.mtimeMs > OLD_MS) fs.rmSync(file, { force: true });
  }
}

function digestInRoot(file) {
  return digestOf(fs.readFileSync(path.join(root, file)));
}

let compiler;

/** Returns a digest of a source and of everything else that its compiled code depends on. */
function digestOf(source) {
  compiler ??= `${require('esbuild/package.json').version} ${JSON.stringify(buildOptions)}\n`;
  return createHash('sha256').update(compiler).update(source).digest('hex');
}

const mapMark = '//# sourceMappingURL=data:application/json;base64,';

/** Returns compiled code without its source map, which only stack traces need. */
function withoutMap(code) {
  return code.slice(0, code.lastIndexOf(mapMark));
}

function mapOf(digest) {
  const code = read(digest);
  if (code === undefined) return undefined;
  const encoded = code.slice(code.lastIndexOf(mapMark) + mapMark.length);
  return new Module.SourceMap(JSON.parse(Buffer.from(encoded, 'base64').toString()));
}

/** Returns a line of a stack trace. If it names compiled code, replaces the position by that in the source. */
function inSource(site) {
  const digest = loaded.get(site.getFileName());
  const [line, column] = [site.getLineNumber(), site.getColumnNumber()];
  const { originalLine, originalColumn } = (digest && mapOf(digest)?.findEntry(line - 1, column - 1)) || {};
  if (originalLine === undefined) return String(site);
  return String(site).replace(`:${line}:${column}`, `:${originalLine + 1}:${originalColumn + 1}`);
}

register();
