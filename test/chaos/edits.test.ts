import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Breakage, breakages } from '../../chaos/breakages';
import { shortened } from '../../chaos/shortened';

const root = path.join(__dirname, '../..');
const edits = [
  ...shortened.map((edit) => ({ ...edit, name: 'shortened' })),
  ...Object.entries(breakages).flatMap(([name, { edits }]: [string, Breakage]) =>
    edits.map((edit) => ({ ...edit, name })),
  ),
];

// Chaos changes a copy of the sources. If a text was changed in the sources, change it in chaos/, too.
test.each(edits)('$name: $file has the text that is replaced, once', ({ file, find, replace }) => {
  expect(readFileSync(path.join(root, file), 'utf8').split(find)).toHaveLength(2);
  expect(replace).not.toBe(find);
});
