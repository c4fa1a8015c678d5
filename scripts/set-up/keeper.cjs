'use strict';

// Runs a command, and stops it when the parent process ends. The parent is the process that started this keeper. When
// the parent ends, even if it is killed, its IPC channel to the keeper closes. argv[2] is the JSON of {"command",
// "args", "graceMs", "remove"}. "remove" lists folders to delete after the command has ended. The keeper deletes them
// only if the parent has ended. Otherwise the parent deletes them.
const { spawn } = require('node:child_process');
const fs = require('node:fs');

const { command, args, graceMs, remove } = JSON.parse(process.argv[2]);

const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
let stopping = false;

function stop() {
  if (stopping) return;
  stopping = true;
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), graceMs);
}

function finish(message, code) {
  if (process.connected) {
    process.send(message, () => process.exit(code));
    return;
  }
  for (const folder of remove) fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code);
}

process.on('disconnect', stop);
process.on('message', stop);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

child.once('spawn', () => process.connected && process.send({ pid: child.pid }));
child.once('error', (error) => finish({ error: error.message }, 127));
child.once('exit', (code, signal) => finish({ exit: { code, signal } }, code ?? 1));
