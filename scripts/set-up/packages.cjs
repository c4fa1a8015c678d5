'use strict';

const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { SIGNALS, exitCodeOf } = require('./foreground.cjs');
const { withLock } = require('./lock.cjs');

/**
 * A file that is written to node_modules after a successful installation. If it is missing, the installation did not
 * finish.
 */
const STAMP = '.federated-etl-installed.json';

/**
 * Longest time for which an `npm ci` whose parent was killed keeps the lock, in milliseconds. It keeps the lock because
 * two concurrent `npm ci` undo each other's work. The time is limited because another process may get the same id after
 * npm has ended.
 */
const ORPHAN_MS = 10 * 60_000;

/** An error that has a message for the user and an exit code. */
class SetUpError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Checks that node_modules matches package-lock.json exactly. If it does not, `why` is a clause with the reason.
 *
 * @param {string} root
 * @returns {{ ready: boolean, why?: string }}
 */
function checkPackages(root) {
  const folder = path.join(root, 'node_modules');
  const stat = fs.statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return { ready: false, why: 'node_modules is missing' };
  if (!stat.isDirectory()) return { ready: false, why: 'node_modules is not a folder' };

  const stamp = readJson(path.join(folder, STAMP));
  if (!stamp) return { ready: false, why: 'the last installation did not finish' };
  const lockText = readLock(root);
  if (stamp.lock !== digest(lockText)) return { ready: false, why: 'package-lock.json changed' };
  if (stamp.platform !== platform()) {
    return { ready: false, why: `node_modules is for ${stamp.platform}, this is ${platform()}` };
  }

  const optional = new Set(stamp.optional);
  for (const [where, entry] of lockedPackages(lockText)) {
    // npm skips optional packages for other platforms. But those optional packages that it did install must still
    // exist.
    if (entry.optional && !optional.has(where)) continue;
    const name = where.slice(where.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const version = installedVersion(root, where);
    if (version === undefined) return { ready: false, why: `node_modules is incomplete: ${name} is missing` };
    if (version !== entry.version) {
      return { ready: false, why: `${name} is ${version}, package-lock.json has ${entry.version}` };
    }
  }
  return { ready: true };
}

/**
 * Records in node_modules that the installation finished.
 *
 * @param {string} root
 */
function stampPackages(root) {
  const lockText = readLock(root);
  const optional = lockedPackages(lockText)
    .filter(([where, entry]) => entry.optional && installedVersion(root, where) !== undefined)
    .map(([where]) => where);
  const stamp = { lock: digest(lockText), platform: platform(), optional };
  const file = path.join(root, 'node_modules', STAMP);
  fs.writeFileSync(`${file}.new`, JSON.stringify(stamp));
  fs.renameSync(`${file}.new`, file);
}

/**
 * Runs `npm ci` unless node_modules matches package-lock.json.
 *
 * @param {string} root
 * @param {(line: string) => void} [say]
 */
async function ensurePackages(root, say = (line) => process.stderr.write(`${line}\n`)) {
  if (checkPackages(root).ready) return;
  const file = path.join(root, '.federated-etl', 'installing.lock');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const onWait = (holder) => say(`Waiting for ${holder}, which is installing the packages…`);
  await withLock(file, { onWait, staleAfterMs: ORPHAN_MS }, async (alsoHeldBy) => {
    // Checks again, because another process may have installed the packages while this one waited for the lock.
    const { ready, why } = checkPackages(root);
    if (!ready) await install(root, why, alsoHeldBy, say);
  });
}

async function install(root, why, alsoHeldBy, say) {
  const folder = path.join(root, 'node_modules');
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  // npm can empty an existing folder, but fails if node_modules is a file or a broken link.
  if (stat && !(fs.statSync(folder, { throwIfNoEntry: false }) || stat).isDirectory()) {
    say('Removing node_modules, which is not a folder.');
    fs.rmSync(folder, { force: true });
  }
  fs.rmSync(path.join(folder, STAMP), { force: true });

  say(`Installing packages (${why})…`);
  let result = await npmCi(root, alsoHeldBy, say);
  if (result.code !== 0 && !result.stopped) {
    say(`npm ci failed (exit code ${result.code}). Trying once more…`);
    result = await npmCi(root, alsoHeldBy, say);
  }
  if (result.stopped)
    throw new SetUpError('Stopped. The next start installs the packages again.', result.code);
  if (result.code !== 0) {
    throw new SetUpError(
      [
        result.output.trim(),
        '',
        `The packages could not be installed: npm ci failed twice (exit code ${result.code}); its output is above.`,
        'Check the network and the registry (`npm ping`, `npm config get registry`), the free disk space and the owner',
        'of node_modules, then start again. Running `npm ci` by hand shows the same error.',
      ].join('\n'),
    );
  }
  stampPackages(root);
  say(`Packages installed in ${seconds(result.ms)}.`);
}

function npmCi(root, alsoHeldBy, say) {
  const started = Date.now();
  // The project's tools are dev dependencies. The environment may exclude those (NODE_ENV=production, omit=dev).
  const args = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--engine-strict=false',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    // `npm start --silent` sets the log level in the environment, which would hide why `npm ci` fails.
    '--loglevel=error',
  ];
  const npm = npmCommand();
  return new Promise((resolve, reject) => {
    const posix = process.platform !== 'win32';
    const child = spawn(npm.command, [...npm.args, ...args], {
      cwd: root,
      env: { ...process.env, NODE_ENV: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: npm.shell,
      // npm gets its own process group, so that the processes it starts can be ended with it.
      detached: posix,
    });
    if (child.pid) alsoHeldBy(child.pid);
    const end = (signal) => {
      try {
        process.kill(posix ? -child.pid : child.pid, signal);
      } catch {
        // It has already exited.
      }
    };
    let stopped = false;
    const stop = () => {
      if (stopped || !child.pid) return;
      stopped = true;
      end('SIGTERM');
      // npm may take a minute to restore the old packages. Do not wait for that: the next start replaces them anyway.
      setTimeout(end, 2000, 'SIGKILL').unref();
    };
    for (const signal of SIGNALS) process.on(signal, stop);
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    const stopTicking = tick(started, say);
    const done = () => {
      stopTicking();
      for (const signal of SIGNALS) process.removeListener(signal, stop);
    };
    child.once('error', (error) => {
      done();
      reject(
        new SetUpError(
          `npm could not be started: ${error.message}. Install npm, or start with \`npm start\`.`,
        ),
      );
    });
    child.once('close', (code, signal) => {
      done();
      resolve({
        code: stopped ? 130 : exitCodeOf(code, signal),
        stopped,
        output: Buffer.concat(output).toString(),
        ms: Date.now() - started,
      });
    });
  });
}

/** Shows the elapsed time: at a terminal in one line that changes, otherwise in a new line every 10 seconds. */
function tick(started, say) {
  const terminal = process.stderr.isTTY;
  const timer = setInterval(
    () => {
      const line = `  … ${seconds(Date.now() - started)}`;
      if (terminal) process.stderr.write(`\r${line}`);
      else say(line);
    },
    terminal ? 1000 : 10_000,
  );
  return () => {
    clearInterval(timer);
    if (terminal) process.stderr.write('\r\x1b[K');
  };
}

/**
 * Returns how to run npm: the npm that started this process, with the user's version and settings, otherwise the one on
 * the PATH.
 */
function npmCommand() {
  const cli = process.env.npm_execpath;
  if (cli && /npm-cli\.c?js$/.test(cli) && fs.existsSync(cli)) {
    return { command: process.execPath, args: [cli], shell: false };
  }
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

function lockedPackages(lockText) {
  // Entries that are links point into the checkout and need no installation.
  return Object.entries(JSON.parse(lockText).packages).filter(
    ([where, entry]) => where !== '' && !entry.link,
  );
}

function installedVersion(root, where) {
  return readJson(path.join(root, where, 'package.json'))?.version;
}

function readLock(root) {
  try {
    return fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  } catch (error) {
    throw new SetUpError(
      `package-lock.json cannot be read (${error.code}). Restore it: git checkout package-lock.json`,
    );
  }
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function digest(text) {
  return createHash('sha256').update(text).digest('hex');
}

function platform() {
  return `${process.platform}-${process.arch}`;
}

function seconds(ms) {
  return `${Math.round(ms / 1000)} s`;
}

module.exports = { SetUpError, checkPackages, ensurePackages, stampPackages };
