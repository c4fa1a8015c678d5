import { isDeepStrictEqual } from 'node:util';
import { dumpSet } from '../../etl/dump';
import { decodeSet, encodeSet } from '../../etl/file';
import { goldenBytes, goldenFiles, goldenJson } from './golden-files';

describe('reading files that OpenCost wrote', () => {
  const files = goldenFiles();

  test('there are files of every kind', () => {
    expect(files.length).toBeGreaterThan(180);
    expect(files.filter((file) => file.dump).length).toBeGreaterThan(70);
  });

  test.each(files.filter((file) => file.dump))('$path decodes to its dump', (file) => {
    const set = decodeSet(file.pipeline, goldenBytes(file.path));
    const dumped = JSON.parse(JSON.stringify(dumpSet(set, { codecVersions: file.versions })));
    const expected = goldenJson(file.dump ?? '');
    if (!isDeepStrictEqual(dumped, expected)) expect(dumped).toEqual(expected);
  });

  test.each(files)('$path is unchanged by encoding and decoding', (file) => {
    const set = decodeSet(file.pipeline, goldenBytes(file.path));
    const bytes = encodeSet(set);
    const again = decodeSet(file.pipeline, bytes);
    if (!isDeepStrictEqual(again, set)) expect(again).toEqual(set);
    expect(encodeSet(again).equals(bytes)).toBe(true);
  });
});
