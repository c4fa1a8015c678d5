import { parseWindowFile } from '../../etl/window';
import { newestOfEachWindow } from '../../operator/local-windows';

function file(path: string, mtimeMs: number) {
  const parsed = parseWindowFile(path);
  if (parsed === undefined) throw new Error(`${path} should be a window file.`);
  return { ...parsed, path, mtimeMs };
}

const plain = 'allocations/1d/1794614400-1794700800';
const named = 'allocations/1d/cluster.1794614400-1794700800';
const other = 'assets/1d/1794614400-1794700800';
const paths = (files: { path: string }[]) => files.map(({ path }) => path).sort();

describe('the newest file of each window', () => {
  it.each([
    [1, 2, named],
    [2, 1, plain],
  ])('is the one written last, in either order of listing', (plainAt, namedAt, newest) => {
    const files = [file(plain, plainAt), file(named, namedAt), file(other, 0)];
    expect(paths(newestOfEachWindow(files))).toEqual([newest, other].sort());
    expect(paths(newestOfEachWindow(files.reverse()))).toEqual([newest, other].sort());
  });
});
