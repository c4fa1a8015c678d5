'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { SIGNALS, exitCodeOf, forwardSignals, runInForeground } = require('./foreground.cjs');

/**
 * Types, lint, format, then the test suites. All of them run even if one fails, so that a single run shows everything;
 * the exit code is that of the first that failed.
 *
 * @param {{ root: string, node: string, env: NodeJS.ProcessEnv, args: readonly string[] }} options
 *   args: `--long` for the full counts, `--fast` for the tests of pure code and with eslint's cache; the rest is jest's
 * @returns {Promise<number>}
 */
async function runTests({ root, node, env, args }) {
  const tool = (...parts) => path.join(root, 'node_modules', ...parts);
  const context = { cwd: root, env };
  const fast = args.includes('--fast');
  let stopped = false;
  const noteStop = () => (stopped = true);
  for (const signal of SIGNALS) process.on(signal, noteStop);

  const checks = startChecks({ tool, node, context, fast });
  const codes = [];
  for (const [title, running] of checks) {
    codes.push(await report(title, running));
    if (stopped) return 130;
  }

  const jest = await runJest({ node, bin: tool('jest', 'bin', 'jest.js'), root, env, args });
  codes.push(jest.code);
  // Alone on its line, and the last one: this is what a CI reads.
  console.log(`${jest.passed} passed, ${jest.failed} failed, ${jest.skipped} skipped`);
  return codes.find((code) => code !== 0) || 0;
}

/**
 * Starts all checks at once, as each uses one core at most. Types and format are taken from the cache where that is exact.
 * eslint's cache is not: its rules know types, and a changed type elsewhere does not make it look at a file again. So
 * only the fast run uses it.
 */
function startChecks({ tool, node, context, fast }) {
  const cache = (name) => tool('.cache', 'checks', name);
  const start = (...args) => captured(node, args, context);
  const tsc = (name, ...args) =>
    start(
      tool('typescript', 'bin', 'tsc'),
      '--noEmit',
      '--incremental',
      '--tsBuildInfoFile',
      cache(name),
      ...args,
    );
  const lintCache = ['--cache', '--cache-strategy', 'content', '--cache-location', cache('eslint.json')];
  const formatCache = ['--cache', '--cache-strategy', 'content', '--cache-location', cache('prettier.json')];
  return [
    ['Types (tsc --noEmit)', tsc('program.tsbuildinfo')],
    ['Types of the page (tsc --noEmit -p web)', tsc('page.tsbuildinfo', '-p', 'web')],
    [
      'Lint (eslint)',
      start(tool('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0', ...(fast ? lintCache : [])),
    ],
    [
      'Format (prettier --check)',
      start(tool('prettier', 'bin', 'prettier.cjs'), '--check', '.', ...formatCache),
    ],
  ];
}

async function report(title, running) {
  heading(title);
  const { code, output, ms } = await running;
  process.stdout.write(output);
  console.log(`${code === 0 ? 'ok' : `failed (exit code ${code})`}, ${seconds(ms)}`);
  return code;
}

async function runJest({ node, bin, root, env, args }) {
  const long = args.includes('--long');
  const fast = args.includes('--fast');
  heading(long ? 'Tests, full counts (jest)' : fast ? 'Tests of pure code (jest)' : 'Tests (jest)');
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'federated-etl-outcome-'));
  const outcome = path.join(scratch, 'outcome.json');
  const jestArgs = [
    bin,
    '--json',
    `--outputFile=${outcome}`,
    ...(fast ? ['--config', path.join(root, 'jest.fast.config.js')] : []),
    ...args.filter((arg) => arg !== '--long' && arg !== '--fast'),
  ];
  const started = Date.now();
  try {
    const code = await runInForeground(node, jestArgs, {
      cwd: root,
      env: long ? { ...env, FED_TEST_LONG: '1' } : env,
    });
    const counts = readOutcome(outcome);
    if (code === 0 && counts.passed === 0) console.error('No test was executed.');
    console.log(`${code === 0 && counts.passed > 0 ? 'ok' : 'failed'}, ${seconds(Date.now() - started)}`);
    return { ...counts, code: code === 0 && counts.passed === 0 ? 1 : code };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** A suite that could not be loaded is a failure too, though no test of it ever ran. */
function readOutcome(file) {
  if (!fs.existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const outcome = JSON.parse(fs.readFileSync(file, 'utf8'));
  return {
    passed: outcome.numPassedTests,
    failed: outcome.numFailedTests + outcome.numRuntimeErrorTestSuites,
    skipped: outcome.numPendingTests + outcome.numTodoTests,
  };
}

/** Runs a command and keeps what it prints, so that two at once do not mix their lines. */
function captured(command, args, options) {
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const stopForwarding = forwardSignals(child);
    const output = [];
    const done = (code) => {
      stopForwarding();
      resolve({ code, output: Buffer.concat(output).toString(), ms: Date.now() - started });
    };
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.once('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      done(127);
    });
    child.once('close', (code, signal) => done(exitCodeOf(code, signal)));
  });
}

function heading(title) {
  console.log(`\n── ${title}`);
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

module.exports = { runTests };
