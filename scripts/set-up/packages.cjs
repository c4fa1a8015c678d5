'use strict';

const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { SIGNALS, exitCodeOf } = require('./foreground.cjs');
const { withLock } = require('./lock.cjs');

/** Written into node_modules after a successful installation, so its absence means an unfinished one. */
const STAMP = '.federated-etl-installed.json';

/**
 * An `npm ci` whose parent was killed keeps the lock for as long as it runs, but at most this long: its id may have
 * been given to another process. Two `npm ci` at once undo each other's work.
 */
const ORPHAN_MS = 10 * 60_000;

/** What a person is told, and the exit code to end with. */
class SetUpError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Whether node_modules holds exactly what package-lock.json says, or in one clause why not.
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
  if (!stamp) return { ready: false, why: 'node_modules was not installed to its end' };
  const lockText = readLock(root);
  if (stamp.lock !== digest(lockText)) return { ready: false, why: 'package-lock.json changed' };
  if (stamp.platform !== platform()) {
    return { ready: false, why: `node_modules is of ${stamp.platform}, this is ${platform()}` };
  }

  const optional = new Set(stamp.optional);
  for (const [where, entry] of lockedPackages(lockText)) {
    // npm leaves out optional packages of other platforms; those that it did install have to stay.
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
 * Notes in node_modules that the installation finished.
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
 * Makes node_modules what package-lock.json says, by `npm ci` where it is not.
 *
 * @param {string} root
 * @param {(line: string) => void} [say]
 */
async function ensurePackages(root, say = (line) => process.stderr.write(`${line}\n`)) {
  if (checkPackages(root).ready) return;
  const file = path.join(root, '.federated-etl', 'installing.lock');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const onWait = (holder) => say(`Another start (${holder}) is installing the packages. Waiting for it…`);
  await withLock(file, { onWait, staleAfterMs: ORPHAN_MS }, async (alsoHeldBy) => {
    // Another process may have installed them while this one waited for its turn.
    const { ready, why } = checkPackages(root);
    if (!ready) await install(root, why, alsoHeldBy, say);
  });
}

async function install(root, why, alsoHeldBy, say) {
  const folder = path.join(root, 'node_modules');
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  // npm empties a folder, but stumbles over a file, and over a link to nowhere.
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
    throw new SetUpError('Stopped. The next start begins with the packages again.', result.code);
  if (result.code !== 0) {
    throw new SetUpError(
      [
        result.output.trim(),
        '',
        `The packages could not be installed: npm ci failed twice (exit code ${result.code}); its own words are above.`,
        'Look at the network and the registry (`npm ping`, `npm config get registry`), the free space on the disk,',
        'and who owns node_modules; then start again. `npm ci` by hand shows the same error.',
      ].join('\n'),
    );
  }
  stampPackages(root);
  say(`Packages installed in ${seconds(result.ms)}.`);
}

function npmCi(root, alsoHeldBy, say) {
  const started = Date.now();
  // Flags because the environment may say otherwise (NODE_ENV=production, omit=dev): the tools are among them.
  const args = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--engine-strict=false',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    // `npm start --silent` is passed on by the environment, and would hide why it fails.
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
      // A process group of its own, so that those whom npm starts can be ended with it.
      detached: posix,
    });
    if (child.pid) alsoHeldBy(child.pid);
    const end = (signal) => {
      try {
        process.kill(posix ? -child.pid : child.pid, signal);
      } catch {
        // It has ended by itself.
      }
    };
    let stopped = false;
    const stop = () => {
      if (stopped || !child.pid) return;
      stopped = true;
      end('SIGTERM');
      // npm may take a minute to put back what was there; it is installed anew anyway.
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
          `npm could not be started: ${error.message}. Install npm, or call \`npm start\` by it.`,
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

/** Shows the time on one line at a terminal, else as a line now and then. */
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

/** The npm that runs this, so that its version and settings are those of the person; else the one on the PATH. */
function npmCommand() {
  const cli = process.env.npm_execpath;
  if (cli && /npm-cli\.c?js$/.test(cli) && fs.existsSync(cli)) {
    return { command: process.execPath, args: [cli], shell: false };
  }
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

function lockedPackages(lockText) {
  // Links lead into the checkout itself, so there is nothing to install.
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
