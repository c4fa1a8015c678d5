import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

// Checks that no file of the project contains any of the words below. Instead of these words, files must use the terms
// of docs/design/architecture.md.

const root = path.join(__dirname, '../..');

const replaced: readonly { readonly word: RegExp; readonly instead: string; readonly within?: RegExp }[] = [
  { word: /\bset[- ]?aside\b|\bsetAside\b/i, instead: 'quarantined (a source), salvaged (a local file)' },
  {
    word: /\b(left[- ]out|leftOut)\b/,
    instead: 'excluded (a cluster)',
    within: /^(federation|activities|workflows|api)\//,
  },
  {
    word: /\bproblems\b/,
    instead: 'quarantined (sources)',
    within: /^(federation|activities|workflows|api)\//,
  },
  { word: /\bgiveBack\b|\bgive-back\b/, instead: 'releaseBuffer, refund' },
  { word: /\banew\b/i, instead: 'again, from scratch, re-…' },
  { word: /\b(un)?told\b/i, instead: 'reported, notified, passed' },
  { word: /\bwhoever\b/i, instead: 'the caller, any client, …' },
  { word: /\bshall\b/i, instead: 'is to, should, has to' },
  { word: /\b(file|own)[- ]?memory\b|\bprimaryMemory\b/i, instead: 'state (on the volume); memory is RAM' },
];

const skipped =
  /^(node_modules|dist|\.git|\.federated-etl|test\/golden|test\/histories|test\/chart\/golden)$/;
const files = globSync('**/*.{ts,tsx,js,cjs,mjs,md,yaml,yml,tpl,txt}', {
  cwd: root,
  exclude: (folder) => skipped.test(folder),
}).filter((file) => file !== 'test/docs/words.test.ts');

test.each(replaced)('no file uses $word; write: $instead', ({ word, within }) => {
  const uses = files
    .filter((file) => within?.test(file) ?? true)
    .flatMap((file) =>
      readFileSync(path.join(root, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => (word.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
  expect(uses).toEqual([]);
});
