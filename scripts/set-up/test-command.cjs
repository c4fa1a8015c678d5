'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { SIGNALS, exitCodeOf, forwardSignals, runInForeground } = require('./foreground.cjs');
const { lintMemo } = require('./lint-passed.cjs');

/**
 * Checks types, lint and format, then runs the tests. If one of these fails, still runs the others, so that one run
 * shows every problem. Returns the exit code of the first failure.
 *
 * @param {{ root: string, node: string, env: NodeJS.ProcessEnv, args: readonly string[] }} options
 *   args: `--long` makes property tests try far more cases; `--fast` runs only the tests of pure code, and lets eslint
 *   use its cache; all other arguments are passed to jest
 * @returns {Promise<number>}
 */
async function runTests({ root, node, env, args }) {
  const tool = (...parts) => path.join(root, 'node_modules', ...parts);
  const context = { cwd: root, env };
  const fast = args.includes('--fast');
  let stopped = false;
  const noteStop = () => (stopped = true);
  for (const signal of SIGNALS) process.on(signal, noteStop);

  const memo = lintMemo(root, tool('.cache', 'checks', 'lint-passed'));
  const { lint, others } = startChecks({ tool, node, context, fast, lintPassed: memo.passed });
  const codes = [];
  for (const [title, running] of others) {
    codes.push(await report(title, running));
    if (stopped) return 130;
  }

  // Lint uses one core, and takes longer than the other checks together. So start the tests while it is running.
  const jest = await runJest({ node, bin: tool('jest', 'bin', 'jest.js'), root, env, args });
  const linted = await report('Lint (eslint)', lint);
  if (linted === 0 && !fast) memo.remember();
  codes.push(linted, jest.code);
  // CI parses this line. It has to be the last line of the output, and must contain nothing else.
  console.log(`${jest.passed} passed, ${jest.failed} failed, ${jest.skipped} skipped`);
  return codes.find((code) => code !== 0) || 0;
}

/**
 * Starts all checks at once, because each uses at most one core. The caches of the type check and of the format check
 * are always correct. The cache of eslint is not: eslint's rules depend on types, but when a type changes in one file,
 * eslint does not check the other files again. So only the fast run uses the cache of eslint. If `lintPassed` is true,
 * eslint has passed for the same files before, and does not run.
 */
function startChecks({ tool, node, context, fast, lintPassed }) {
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
  return {
    lint: lintPassed
      ? Promise.resolve({ code: 0, output: 'No file has changed since eslint passed.\n', ms: 0 })
      : start(tool('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0', ...(fast ? lintCache : [])),
    others: [
      ['Types (tsc --noEmit)', tsc('program.tsbuildinfo')],
      ['Types of the page (tsc --noEmit -p web)', tsc('page.tsbuildinfo', '-p', 'web')],
      [
        'Format (prettier --check)',
        start(tool('prettier', 'bin', 'prettier.cjs'), '--check', '.', ...formatCache),
      ],
    ],
  };
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
    // Test files allocate much that is soon garbage. With larger young generations, jest's processes, which inherit this
    // option, spend about 6 % less CPU time.
    '--max-semi-space-size=64',
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
      stdio: 'inherit',
      env: long ? { ...env, FED_TEST_LONG: '1' } : env,
    });
    const counts = readOutcome(outcome);
    if (code === 0 && counts.passed === 0) console.error('No tests ran.');
    console.log(`${code === 0 && counts.passed > 0 ? 'ok' : 'failed'}, ${seconds(Date.now() - started)}`);
    return { ...counts, code: code === 0 && counts.passed === 0 ? 1 : code };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Reads from jest's result file how many tests passed, failed and were skipped. A test file that could not be loaded
 * counts as one failed test, because jest cannot count the tests in it.
 */
function readOutcome(file) {
  if (!fs.existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const outcome = JSON.parse(fs.readFileSync(file, 'utf8'));
  return {
    passed: outcome.numPassedTests,
    failed: outcome.numFailedTests + outcome.numRuntimeErrorTestSuites,
    skipped: outcome.numPendingTests + outcome.numTodoTests,
  };
}

/** Runs a command and captures its output, so that the outputs of concurrent commands do not mix. */
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
