'use strict';

const { spawn } = require('node:child_process');

/** The signals that ask a process to exit. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a command on this terminal and waits for it to exit. Forwards each signal once. This process exits only after
 * the command, so that nothing is left running.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<number>} its exit code, or 128 + n if signal n ended it
 */
function runInForeground(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    const stopForwarding = forwardSignals(child);
    child.once('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      stopForwarding();
      resolve(exitCodeOf(code, signal));
    });
  });
}

/**
 * Forwards to a child, once each, the signals that ask this process to exit.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => void} stops forwarding them
 */
function forwardSignals(child) {
  // At a terminal, SIGINT is not forwarded: the terminal also sends Ctrl-C to the child, and a second SIGINT would mean
  // "exit at once" to it.
  const terminal = Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
  const handlers = SIGNALS.map((signal) => {
    let seen = false;
    const handler = () => {
      if (!seen && !(terminal && signal === 'SIGINT')) child.kill(signal);
      seen = true;
    };
    process.on(signal, handler);
    return () => process.removeListener(signal, handler);
  });
  // If npm is killed, it cannot forward the signal to this process. But this process then gets another parent.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event && process.ppid !== parent) process.emit('SIGTERM', 'SIGTERM');
  }, 1000);
  watch.unref();
  return () => {
    clearInterval(watch);
    handlers.forEach((remove) => remove());
  };
}

/** Returns the exit code that a shell would report for a process that ended like this. */
function exitCodeOf(code, signal) {
  return code === null ? 128 + (require('node:os').constants.signals[signal] || 0) : code;
}

module.exports = { SIGNALS, exitCodeOf, forwardSignals, runInForeground };
