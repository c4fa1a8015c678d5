'use strict';

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { SetUpError } = require('./packages.cjs');

/**
 * Oldest version of Node that can run the program. The program loads ES modules with `require`, which needs 22.12. Its
 * HTTP agents read the proxy variables, which needs 24.5. (The set-up and the launcher also run on Node 20.)
 */
const OLDEST = '24.5';

/**
 * Returns whether a version of Node can run the program.
 *
 * @param {string} [version] such as `24.21.0`; the default is the version of the running Node
 */
function isNewEnough(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST.split('.').map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/**
 * Finds a Node that can run the program. Prefers the project's own Node, which is installed as an npm package.
 * Otherwise uses the running Node if it is new enough.
 *
 * @param {string} root
 * @returns {string | undefined} the path of the binary, or undefined if there is none
 */
function findProjectNode(root) {
  const own = ownNode(root);
  if (fs.existsSync(own)) return own;
  return isNewEnough() ? process.execPath : undefined;
}

/**
 * Like `findProjectNode`, but also checks that the project's own Node works. If it does not work and the running Node
 * is too old, downloads the project's own Node. The install script of its npm package normally does this, but npm may
 * be configured not to run install scripts.
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

  say(`Downloading the project's own Node, as this one is ${process.version}…`);
  const output = await fetchOwnNode(root);
  if (runs(own)) return own;
  throw new SetUpError(
    [
      output.trim(),
      '',
      `The program requires Node ${OLDEST} or newer. This is ${process.version}, and the project's own Node could not be downloaded.`,
      `Install Node ${OLDEST} or newer and start again, or let npm download it: npm rebuild node --ignore-scripts=false`,
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

/**
 * Downloads the project's own Node: runs the install script of its npm package, as npm would. Returns the script's
 * output.
 */
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

module.exports = { OLDEST, ensureProjectNode, findProjectNode, isNewEnough };
