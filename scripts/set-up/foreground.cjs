'use strict';

const { spawn } = require('node:child_process');

/** The signals that ask a process to exit. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a command on this terminal and waits until it exits. Forwards each kind of signal to it only once. This process
 * waits for the command even after a signal, so it leaves nothing running. The command gets an IPC channel, which
 * closes when this process ends. So the command can notice even that this process was killed. Messages from the command
 * are forwarded to the parent of this process.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<number>} the command's exit code, or 128 + n if signal n ended the command
 */
function runInForeground(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], ...options });
    child.on('message', (message) => process.connected && process.send(message));
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
 * If a signal asks this process to exit, forwards it to a child process. Forwards each kind of signal only once.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => void} a function that stops the forwarding
 */
function forwardSignals(child) {
  // Do not forward SIGINT at a terminal. On Ctrl-C, the terminal sends SIGINT to the child too, and the child would
  // treat a second SIGINT as a request to exit at once.
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
  // npm forwards signals to this process, but not if npm itself is killed. The system then assigns a new parent to this
  // process. Treat that like SIGTERM.
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

/** Returns the exit code that a shell would report for a process that ended with this code or signal. */
function exitCodeOf(code, signal) {
  return code === null ? 128 + (require('node:os').constants.signals[signal] || 0) : code;
}

module.exports = { SIGNALS, exitCodeOf, forwardSignals, runInForeground };
