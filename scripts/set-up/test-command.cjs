'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { SIGNALS, exitCodeOf, forwardSignals, runInForeground } = require('./foreground.cjs');

/**
 * Types, lint, format, then the test suites. All of them run whatever the others say, so that one sees everything;
 * the exit code is the first failing one's.
 *
 * @param {{ root: string, node: string, env: NodeJS.ProcessEnv, args: readonly string[] }} options
 *   args: `--long` for the full counts, the rest is jest's
 * @returns {Promise<number>}
 */
async function runTests({ root, node, env, args }) {
  const tool = (...parts) => path.join(root, 'node_modules', ...parts);
  const context = { cwd: root, env };
  let stopped = false;
  const noteStop = () => (stopped = true);
  for (const signal of SIGNALS) process.on(signal, noteStop);

  // Each needs a core for a while; they hold each other up little.
  const checks = [
    captured(node, [tool('typescript', 'bin', 'tsc'), '--noEmit'], context),
    captured(node, [tool('typescript', 'bin', 'tsc'), '--noEmit', '-p', 'web'], context),
    captured(node, [tool('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0'], context),
  ];
  const codes = [];
  codes.push(await report('Types (tsc --noEmit)', checks[0]));
  codes.push(await report('Types of the page (tsc --noEmit -p web)', checks[1]));
  codes.push(await report('Lint (eslint)', checks[2]));
  if (stopped) return 130;
  const prettier = [tool('prettier', 'bin', 'prettier.cjs'), '--check', '.'];
  codes.push(await report('Format (prettier --check)', captured(node, prettier, context)));
  if (stopped) return 130;

  const jest = await runJest({ node, bin: tool('jest', 'bin', 'jest.js'), root, env, args });
  codes.push(jest.code);
  // Alone on its line, and the last one: this is what a CI reads.
  console.log(`${jest.passed} passed, ${jest.failed} failed, ${jest.skipped} skipped`);
  return codes.find((code) => code !== 0) || 0;
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
  heading(long ? 'Tests, full counts (jest)' : 'Tests (jest)');
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'federated-etl-outcome-'));
  const outcome = path.join(scratch, 'outcome.json');
  const jestArgs = [bin, '--json', `--outputFile=${outcome}`, ...args.filter((arg) => arg !== '--long')];
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
