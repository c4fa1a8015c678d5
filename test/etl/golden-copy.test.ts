import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder from which the golden files were copied. If it does not exist on this machine, the test compares nothing. */
const source = join(__dirname, '..', '..', '..', 'shared', 'fixtures');
const copy = join(__dirname, '..', 'golden');

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

test('test/golden is an exact copy of the fixtures', () => {
  if (!existsSync(source)) {
    console.info('The fixtures are not beside this checkout: test/golden was not compared with them.');
    return;
  }
  const files = filesOf(source);
  expect(filesOf(copy)).toEqual(files);
  const different = files.filter(
    (file) => !readFileSync(join(source, file)).equals(readFileSync(join(copy, file))),
  );
  expect(different).toEqual([]);
});
