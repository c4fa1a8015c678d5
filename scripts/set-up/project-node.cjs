'use strict';

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { SetUpError } = require('./packages.cjs');

/** The oldest Node that runs the project itself; a start may begin with an older one. */
const OLDEST = 22;

/**
 * The Node to run the project with: its own (24, an npm package), else the running one if it is new enough.
 *
 * @param {string} root
 * @returns {string | undefined} the path of the binary
 */
function findProjectNode(root) {
  const own = ownNode(root);
  if (fs.existsSync(own)) return own;
  return Number(process.versions.node.split('.')[0]) >= OLDEST ? process.execPath : undefined;
}

/**
 * The same, for certain: checks that the project's own Node runs, and fetches it where it is missing and the running
 * one is too old. It is missing where npm was told to run no install scripts, for one of them fetches it.
 *
 * @param {string} root
 * @param {(line: string) => void} [say]
 * @returns {Promise<string>}
 */
async function ensureProjectNode(root, say = (line) => process.stderr.write(`${line}\n`)) {
  const own = ownNode(root);
  if (runs(own)) return own;
  fs.rmSync(own, { force: true });
  const fallback = findProjectNode(root);
  if (fallback) return fallback;

  say(`Fetching the project's own Node, as this one is ${process.version}…`);
  const output = await fetchOwnNode(root);
  if (runs(own)) return own;
  throw new SetUpError(
    [
      output.trim(),
      '',
      `The project runs on Node ${OLDEST} or newer, this is ${process.version}, and its own Node could not be fetched.`,
      `Install Node ${OLDEST} or newer and start again, or let npm fetch it: npm rebuild node --ignore-scripts=false`,
    ].join('\n'),
  );
}

function ownNode(root) {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  return path.join(root, 'node_modules', 'node', 'bin', name);
}

function runs(node) {
  return fs.existsSync(node) && spawnSync(node, ['--version'], { timeout: 20_000 }).status === 0;
}

/** The package's own install step, as npm would have run it. */
function fetchOwnNode(root) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['installArchSpecificPackage'], {
      cwd: path.join(root, 'node_modules', 'node'),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve(Buffer.concat(output).toString()));
  });
}

module.exports = { OLDEST, ensureProjectNode, findProjectNode };
