'use strict';

// Entry point of `npm start`, `npm test`, `npm run chaos`, `npm run fuzz` and the benchmarks. It needs nothing but Node: it installs the packages and
// the project's own Node, then runs the command. Its syntax is so simple that even old versions of Node can parse it,
// run the version check and print the error message.
var major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  console.error('Federated ETL needs Node 20 or newer to start; this is ' + process.version + '.');
  console.error(
    'Install a newer Node (https://nodejs.org) and start again; the project then uses its own Node 24.',
  );
  process.exit(1);
}

var path = require('path');

start(process.argv[2], process.argv.slice(3)).then(
  function (code) {
    process.exitCode = code;
  },
  function (error) {
    // A SetUpError has an exit code and a message for the user. Any other error is a bug, so print its stack too.
    console.error(error.exitCode === undefined ? error : error.message);
    process.exitCode = error.exitCode === undefined ? 1 : error.exitCode;
  },
);

async function start(what, args) {
  const { ensurePackages } = require('./packages.cjs');
  const { ensureProjectNode } = require('./project-node.cjs');
  const root = path.resolve(__dirname, '..', '..');
  if (['demo', 'test', 'bench', 'chaos', 'fuzz'].indexOf(what) === -1) {
    console.error(
      'usage: run.cjs demo [ARGUMENTS] | run.cjs test [--long] [JEST ARGUMENTS] | run.cjs bench NAME | run.cjs chaos|fuzz [ARGUMENTS]',
    );
    return 2;
  }
  await ensurePackages(root);
  const node = await ensureProjectNode(root);
  const env = childEnvironment(root, node);
  if (what === 'test') return require('./test-command.cjs').runTests({ root, node, env, args });

  const { runInForeground } = require('./foreground.cjs');
  const commands = {
    bench: () => ['--import', 'tsx', path.join(root, 'bench', args[0] + '.ts'), ...args.slice(1)],
    chaos: () => ['--import', 'tsx', path.join(root, 'chaos', 'main.ts'), ...args],
    fuzz: () => ['--import', 'tsx', path.join(root, 'fuzz', 'main.ts'), ...args],
    demo: () => [path.join(root, 'scripts', 'federated-etl.cjs'), 'demo', ...args],
  };
  return runInForeground(node, commands[what](), {
    cwd: root,
    env,
  });
}

/** Returns the environment for the command. Its PATH starts with the project's tools and the project's own Node. */
function childEnvironment(root, node) {
  const folders = [path.join(root, 'node_modules', '.bin'), path.dirname(node), process.env.PATH || ''];
  return Object.assign({}, process.env, { PATH: folders.join(path.delimiter) });
}
