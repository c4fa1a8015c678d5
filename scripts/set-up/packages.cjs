'use strict';

const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { SIGNALS, exitCodeOf } = require('./foreground.cjs');
const { withLock } = require('./lock.cjs');

/**
 * File in node_modules that is written after a successful installation. If it is missing, the last installation did not
 * finish.
 */
const STAMP = '.federated-etl-installed.json';

/**
 * Milliseconds for which `npm ci` keeps the lock after its parent process was killed. It has to keep the lock, because
 * two concurrent runs of `npm ci` would undo each other's work. The time is limited because the lock file identifies
 * npm by its process id, and another process may get that id after npm has ended.
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
 * Checks whether node_modules matches package-lock.json exactly. If it does not, `why` says why not.
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
    // npm does not install optional packages for other platforms. So do not check an optional package that npm has not
    // installed.
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
    // Check again: another process may have installed the packages while this one waited for the lock.
    const { ready, why } = checkPackages(root);
    if (!ready) await install(root, why, alsoHeldBy, say);
  });
}

async function install(root, why, alsoHeldBy, say) {
  const folder = path.join(root, 'node_modules');
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  // npm can empty a folder, but it fails if node_modules is a file or a broken link. So delete the file or link first.
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
  // The user's environment may exclude development dependencies (NODE_ENV=production, omit=dev). Include them
  // explicitly, because the project's tools are among them.
  const args = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--engine-strict=false',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    // With `npm start --silent`, the environment makes npm silent, and `npm ci` would not print why it fails. So set
    // the log level explicitly.
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
      // Start npm in its own process group. A signal to the group also reaches the processes that npm starts.
      detached: posix,
    });
    if (child.pid) alsoHeldBy(child.pid);
    const end = (signal) => {
      try {
        process.kill(posix ? -child.pid : child.pid, signal);
      } catch {
        // npm has already exited.
      }
    };
    let stopped = false;
    const stop = () => {
      if (stopped || !child.pid) return;
      stopped = true;
      end('SIGTERM');
      // After SIGTERM, npm may take a minute to restore the old packages. Kill it after 2 seconds, because the next
      // start installs the packages again anyway.
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

/**
 * Shows the elapsed time. At a terminal, updates one line every second. Otherwise prints a new line every 10 seconds.
 */
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
 * Returns the command that runs npm. Prefers the npm that started this process, because it has the version and the
 * settings that the user chose. Otherwise uses the npm on the PATH.
 */
function npmCommand() {
  const cli = process.env.npm_execpath;
  if (cli && /npm-cli\.c?js$/.test(cli) && fs.existsSync(cli)) {
    return { command: process.execPath, args: [cli], shell: false };
  }
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

function lockedPackages(lockText) {
  // Skip entries that are links: they point to folders in the checkout and are not installed.
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
