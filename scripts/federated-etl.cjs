#!/usr/bin/env node
'use strict';

// The command `federated-etl`. In a build (`npm run build`), it runs the compiled program. In a checkout, it runs
// federated-etl.ts; if the current Node is too old for this, the command restarts itself with the project's own Node.
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const args = process.argv.slice(2);
const built = path.join(__dirname, 'federated-etl.js');

if (fs.existsSync(built)) {
  start(built);
} else if (!fs.existsSync(path.join(root, 'node_modules', 'esbuild', 'package.json'))) {
  const { checkPackages } = require('./set-up/packages.cjs');
  console.error(`federated-etl needs its packages (${checkPackages(root).why}).`);
  console.error('Run `npm start`, which installs them and runs the example, or `npm ci`.');
  process.exitCode = 1;
} else if (!require('./set-up/project-node.cjs').isNewEnough()) {
  handOver();
} else {
  require('./set-up/load-typescript.cjs');
  start('./federated-etl.ts');
}

function start(program) {
  process.stdout.on('error', exitOnLostOutput);
  // Ignore write errors: a verb does its work even if nobody reads its messages.
  process.stderr.on('error', () => undefined);
  endWithParent();
  require(program)
    .main(args)
    .catch((error) => {
      console.error(error);
      process.exitCode = 1;
    });
}

/**
 * Ends the process when standard output cannot be written. If the reader of a pipe has closed it early, as `head` does in
 * `federated-etl runs | head`, that is no error.
 */
function exitOnLostOutput(error) {
  if (error.code === 'EPIPE') process.exit();
  console.error(`Standard output cannot be written: ${error.message}`);
  process.exit(1);
}

/**
 * If this process was started with an IPC channel, treats the end of its parent like SIGTERM. The parent is this
 * launcher under an older Node, `npm start` or the demo. The channel closes even if the parent is killed.
 */
function endWithParent() {
  if (process.channel === undefined) return;
  process.once('disconnect', () => {
    if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(143);
  });
  // The listener must not keep this process alive.
  process.channel.unref();
}

/** Runs the same command line with the project's own Node. */
function handOver() {
  const { OLDEST, findProjectNode } = require('./set-up/project-node.cjs');
  const { runInForeground } = require('./set-up/foreground.cjs');
  const node = findProjectNode(root);
  if (node === undefined) {
    console.error(`federated-etl needs Node ${OLDEST} or newer; this is ${process.version}.`);
    console.error("Run `npm start`, which downloads the project's own Node, or install a newer Node.");
    process.exitCode = 1;
    return;
  }
  runInForeground(node, [__filename, ...args]).then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      console.error(`${node} could not be started: ${error.message}`);
      process.exitCode = 1;
    },
  );
}
