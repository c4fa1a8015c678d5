'use strict';

// What `npm start`, `npm test` and the benchmarks run. It needs nothing but Node: packages, the project's own Node and the servers
// are its to fetch. Syntax that every Node knows up to the version check, so that an old one gets a sentence.
var major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  console.error('Federated ETL starts with Node 20 or newer; this is ' + process.version + '.');
  console.error(
    'Install a newer Node (https://nodejs.org) and start again; the project then brings its own Node 24.',
  );
  process.exit(1);
}

var path = require('path');

start(process.argv[2], process.argv.slice(3)).then(
  function (code) {
    process.exitCode = code;
  },
  function (error) {
    // An error of the set-up is written for a person; anything else is a fault, and shows where.
    console.error(error.exitCode === undefined ? error : error.message);
    process.exitCode = error.exitCode === undefined ? 1 : error.exitCode;
  },
);

async function start(what, args) {
  const { ensurePackages } = require('./packages.cjs');
  const { ensureProjectNode } = require('./project-node.cjs');
  const root = path.resolve(__dirname, '..', '..');
  if (['demo', 'test', 'bench'].indexOf(what) === -1) {
    console.error(
      'usage: run.cjs demo [ARGUMENTS] | run.cjs test [--long] [JEST ARGUMENTS] | run.cjs bench NAME',
    );
    return 2;
  }
  await ensurePackages(root);
  const node = await ensureProjectNode(root);
  const env = childEnvironment(root, node);
  if (what === 'test') return require('./test-command.cjs').runTests({ root, node, env, args });

  const { runInForeground } = require('./foreground.cjs');
  const command =
    what === 'bench'
      ? ['--import', 'tsx', path.join(root, 'bench', args[0] + '.ts'), ...args.slice(1)]
      : [path.join(root, 'scripts', 'federated-etl.cjs'), 'demo', ...args];
  return runInForeground(node, command, {
    cwd: root,
    env,
  });
}

/** `node` and the tools on the PATH are the project's own for everything that is started from here. */
function childEnvironment(root, node) {
  const folders = [path.join(root, 'node_modules', '.bin'), path.dirname(node), process.env.PATH || ''];
  return Object.assign({}, process.env, { PATH: folders.join(path.delimiter) });
}
