import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { isFederationError } from '../../errors/federation-error';
import { assetIdentity } from '../../etl/asset-identity';
import { decodeSet, encodeSet } from '../../etl/file';
import { Reader } from '../../etl/reader';
import { entriesWith } from '../../etl/splice/find-text';
import { Splice } from '../../etl/splice/splice';
import { StringUnion } from '../../etl/splice/string-union';
import { hasTable, readTable } from '../../etl/string-table';
import { type Pipeline, pipelines } from '../../etl/window';
import { allocation, allocationSet, asset, assetSet, volume } from './build-records';
import { edgeFiles, goldenBytes, goldenMerges } from './golden-files';
import { propertyRuns, runs } from './run-counts';
import { expectSpliced, type SpliceInput } from './same-splice';
import { spliceSets } from './splice-sets';

/** Reads the files that OpenCost wrote for the clusters of a golden window. */
function goldenInputs(pipeline: Pipeline, name: string, ids: readonly string[]): SpliceInput[] {
  const [from, , resolution, window] = name.split(' ');
  return ids.map((id) => ({
    id,
    bytes: goldenBytes(`${from}/federated/${id}/etl/bingen/${pipeline}/${resolution}/${window}`),
  }));
}

describe.each(pipelines)('spliced %s equal those of the decoding merge', (pipeline) => {
  test.each(goldenMerges(pipeline))('$name', ({ name, inputs }) => {
    const files = goldenInputs(
      pipeline,
      name,
      inputs.map(({ id }) => id),
    );
    const { sameBytes, passed } = expectSpliced(pipeline, files);
    // Append a copy of the first file, so that each of its records occurs in two files.
    expectSpliced(pipeline, [...files, { id: 'zz', bytes: files[0]?.bytes ?? Buffer.alloc(0) }]);
    expect(passed ? sameBytes : true).toBe(true);
  });

  const edges = edgeFiles('ok').filter(({ kind }) => kind === pipeline);

  test.each(edges)('$file', ({ file }) => {
    const bytes = goldenBytes(`edge/${file}`);
    expectSpliced(pipeline, [{ id: 'one', bytes }]);
    expectSpliced(
      pipeline,
      ['one', 'two'].map((id) => ({ id, bytes })),
    );
  });

  test('all pairs of corner cases', () => {
    for (const a of edges) {
      for (const b of edges) {
        expectSpliced(
          pipeline,
          [a, b].map(({ file }) => ({ id: file, bytes: goldenBytes(`edge/${file}`) })),
        );
      }
    }
  });
});

/**
 * Calls `read`. Returns undefined if it succeeds. If it throws a FederationError, returns the error's code, byte
 * position and detail. Throws any other error.
 */
function refusal(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (!isFederationError(error)) throw error;
    return `${error.code} ${error.subject.byte} ${error.detail}`;
  }
}

/**
 * Splices damaged bytes, and checks that the error is the one that `decodeSet` throws. Splices a valid file first, so
 * that the splice already holds data when it reads the damaged file.
 */
function expectSameRefusal(pipeline: Pipeline, bytes: Uint8Array, good: Uint8Array): void {
  const expected = refusal(() => decodeSet(pipeline, bytes));
  const given = Buffer.from(bytes);
  const splice = new Splice(pipeline);
  splice.add('good', Buffer.from(good));
  const found = refusal(() => splice.add('damaged', given));
  if (found !== expected) expect(found).toBe(expected);
  if (expected === undefined) {
    expectSpliced(pipeline, [
      { id: 'good', bytes: good },
      { id: 'damaged', bytes },
    ]);
    return;
  }
  // The refused file must not be modified, and must leave no trace in the result.
  if (!given.equals(bytes)) throw new Error('The bytes of a refused file were changed.');
  const alone = spliceSets(pipeline, [{ id: 'good', bytes: Buffer.from(good) }]);
  if (!Buffer.concat([...splice.finish().parts]).equals(Buffer.concat([...alone.parts]))) {
    throw new Error('A refused file left something behind.');
  }
}

const samples: [Pipeline, string][] = [
  ['allocations', 'edge/versions/allocations.v25'],
  ['allocations', 'edge/versions/allocations.v15'],
  ['allocations', 'edge/valid/nil-records.allocations'],
  ['allocations', 'edge/valid/no-table.allocations'],
  ['assets', 'edge/versions/assets.v21'],
  ['assets', 'edge/versions/assets.v16'],
  ['assets', 'edge/valid/bare.assets'],
];

describe('damaged files are refused exactly as by decodeSet', () => {
  test.each(edgeFiles('error'))('$file: $note', ({ file, kind }) => {
    const good = goldenBytes(`edge/versions/${kind === 'assets' ? 'assets.v21' : 'allocations.v25'}`);
    const bytes = goldenBytes(`edge/${file}`);
    expect(refusal(() => decodeSet(kind, bytes))).toBeDefined();
    expectSameRefusal(kind, bytes, good);
  });

  test.each(samples)('%s truncated at any byte: %s', (pipeline, path) => {
    const bytes = goldenBytes(path);
    const stride = runs(61, 7);
    for (let length = 0; length < bytes.length; length += length < 100 ? 1 : stride) {
      expectSameRefusal(pipeline, bytes.subarray(0, length), bytes);
    }
  });

  test('a small file truncated at every byte', () => {
    const bytes = encodeSet(allocationSet([allocation('a/b'), allocation('a/c')]));
    for (let length = 0; length < bytes.length; length++) {
      expectSameRefusal('allocations', bytes.subarray(0, length), bytes);
    }
  });

  test.each(samples)('%s with overwritten bytes: %s', (pipeline, path) => {
    const bytes = goldenBytes(path);
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 127, 128, 255));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), byte), { minLength: 1, maxLength: 6 }),
        (edits) => {
          const damaged = Buffer.from(bytes);
          for (const [at, value] of edits) damaged[at] = value;
          expectSameRefusal(pipeline, damaged, bytes);
        },
      ),
      propertyRuns(100, 2000),
    );
  });

  test('a small file with every byte overwritten in turn', () => {
    const sets: [Pipeline, Buffer][] = [
      ['allocations', encodeSet(allocationSet([allocation('a/b'), ['a/c', null]]))],
      ['assets', encodeSet(assetSet([asset('Node'), asset('Disk'), asset('SharedAsset')]))],
    ];
    for (const [pipeline, bytes] of sets) {
      for (let at = 0; at < bytes.length; at++) {
        for (const value of runs([2, 255], [0, 1, 2, 15, 26, 255])) {
          const damaged = Buffer.from(bytes);
          damaged[at] = value;
          expectSameRefusal(pipeline, damaged, bytes);
        }
      }
    }
  });

  test('a gzipped file, truncated or of the other pipeline', () => {
    const packed = gzipSync(goldenBytes('edge/versions/assets.v21'));
    const good = goldenBytes('edge/versions/allocations.v25');
    expectSameRefusal('allocations', packed, good);
    expectSameRefusal(
      'assets',
      packed.subarray(0, packed.length - 9),
      goldenBytes('edge/versions/assets.v21'),
    );
    expectSameRefusal('allocations', gzipSync(packed), good);
    expectSameRefusal('allocations', gzipSync(Buffer.alloc(0)), good);
  });
});

/** Returns the offset at which the set begins in a file: after the string table, or 0 if there is no table. */
function setStart(bytes: Buffer): number {
  if (!hasTable(bytes)) return 0;
  const reader = new Reader(bytes);
  readTable(reader);
  return reader.position;
}

const blankProperties = {
  version: 25,
  cluster: '',
  node: '',
  container: '',
  controller: '',
  controllerKind: '',
  namespace: '',
  pod: '',
  services: null,
  providerID: '',
  labels: null,
  annotations: null,
  namespaceLabels: null,
  namespaceAnnotations: null,
};

const assetProperties = {
  version: 21,
  category: '',
  provider: '',
  account: '',
  project: '',
  service: '',
  cluster: '',
  name: '',
  providerID: '',
};

describe('a splice', () => {
  test('without inputs is refused', () => {
    expect(() => spliceSets('assets', [])).toThrow(RangeError);
  });

  test('finds marks anywhere in a name, and only there', () => {
    const names = [
      '__idle__',
      'x/__idle__',
      '__external__',
      '_',
      'idle__',
      '__idle',
      '__',
      '__idle__/__external__',
    ];
    const set = allocationSet(names.map((name) => allocation(name)));
    const marked = { ...set, fromSource: 'team/__idle__' };
    const { sameBytes } = expectSpliced('allocations', [{ id: 'a', bytes: encodeSet(marked) }]);
    expect(sameBytes).toBe(true);
  });

  test.each(pipelines)(
    'releases the memory of %s that it does not hold, and finally all of it',
    (pipeline) => {
      const path = `bucket/federated/cluster-1/etl/bingen/${pipeline}/1d/1794614400-1794700800`;
      const original = goldenBytes(path);
      const files = ['a', 'b', 'c'].map(() => {
        const bytes = Buffer.allocUnsafeSlow(original.length);
        original.copy(bytes);
        return bytes;
      });
      const isFree = (bytes: Buffer) => bytes.buffer.byteLength === 0;
      const again: Buffer[] = [];
      const splice = new Splice(pipeline, {
        mostHeld: 2 * original.length,
        readAgain: ({ offset, length }) => {
          const bytes = Buffer.allocUnsafeSlow(length);
          original.copy(bytes, 0, offset, offset + length);
          again.push(bytes);
          return bytes;
        },
      });
      files.forEach((bytes, index) => splice.add(`${index}`, bytes));
      expect(files.map(isFree)).toEqual([false, false, true]);
      const { parts } = splice.finish();
      expect(Buffer.concat(Array.from(parts, (part) => Buffer.from(part))).length).toBeGreaterThan(0);
      splice.free();
      expect(files.map(isFree)).toEqual([true, true, true]);
      expect(again.length).toBeGreaterThan(0);
      expect(again.every(isFree)).toBe(true);
    },
  );

  const viewOf = (bytes: Buffer, ...starts: number[]) => ({
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    starts: Int32Array.from(starts),
  });

  test('finds no mark across two strings of a table', () => {
    // In this table, the bytes of `__idle__` are spread over two strings: `__` ends the first string, `id` is the
    // length prefix of the second string, and `le__` begins the second string.
    const across = 'le__'.padEnd(0x6469, 'x');
    const table = Buffer.from(`\x03\0x__id${across}`, 'latin1');
    expect([...entriesWith(viewOf(table, 0, 5, table.length), '__idle__')]).toEqual([]);
    const inside = Buffer.from('\x08\0__idle__\x01\0x\x11\0__idle____idle__x', 'latin1');
    expect([...entriesWith(viewOf(inside, 0, 10, 13, inside.length), '__idle__')]).toEqual([0, 2, 2]);
  });

  test.each(['edge/valid/no-table.allocations', 'edge/versions/allocations.v25'])(
    'keeps a set version lower than that of its records: %s',
    (path) => {
      const bytes = Buffer.from(goldenBytes(path));
      bytes[setStart(bytes)] = 15;
      expect(decodeSet('allocations', bytes).version).toBe(15);
      expectSpliced('allocations', [{ id: 'a', bytes }]);
    },
  );

  test('recognizes assets under keys that are not their identity', () => {
    const properties = { ...assetProperties, provider: 'AWS', name: 'one' };
    const record = asset('Disk', { properties, cost: 1 });
    const key = assetIdentity(record, null);
    const keys = [key, `${key}x`, key.slice(0, -1), `x${key}`, key.replace('Disk', 'Node'), ''];
    const files = keys.map((other, index) => {
      // The splice always decodes the first record of a file. So the tested record must be the second one.
      const first = asset('Disk', { properties: { ...properties, name: `first ${index}` } });
      const records = new Map(
        [first, record].map((made, i) => [i === 0 ? assetIdentity(made, null) : other, made]),
      );
      return { id: `${index}`, bytes: encodeSet({ ...assetSet([]), assets: records }) };
    });
    for (const file of files) expectSpliced('assets', [file]);
    const { spliced } = expectSpliced('assets', files);
    expect(spliced.contributions.map(({ entries }) => entries)).toEqual([2, 1, 1, 1, 1, 1]);
  });

  test('distinguishes windows that differ by a nanosecond', () => {
    const { window } = allocation('a');
    const early = window.start && { ...window.start, seconds: window.start.seconds - 1, nanos: 999_999_999 };
    const late = window.end && { ...window.end, nanos: 1 };
    const inside = window.start && { ...window.start, nanos: 1 };
    const records = [
      allocation('a'),
      allocation('b', { window: { ...window, start: early } }),
      allocation('c', { window: { ...window, end: late } }),
      allocation('d', { window: { ...window, start: inside } }),
      allocation('f', { window: { ...window, start: null } }),
      allocation('e'),
    ];
    const set = allocationSet(records);
    const narrow = encodeSet(set);
    const wide = encodeSet({ ...set, window: { ...window, start: early } });
    expectSpliced('allocations', [{ id: 'a', bytes: narrow }]);
    expectSpliced('allocations', [{ id: 'a', bytes: wide }]);
  });

  test('rewrites records that only differ from ours in how they are written', () => {
    const labels = new Map([['a', 'b']]);
    const properties = { ...blankProperties, services: ['s'], labels };
    // The splice always decodes the first record of a file. Use two records, so that the second one is not decoded.
    const assets = ['one', 'two'].map((name) =>
      asset('LoadBalancer', { labels, private: true, properties: { ...assetProperties, name } }),
    );
    const keyed = new Map(assets.map((record) => [assetIdentity(record, null), record]));
    const sets: [Pipeline, Buffer][] = [
      [
        'allocations',
        encodeSet(allocationSet([allocation('a'), allocation('b', { properties, pvs: [volume('p', 1)] })])),
      ],
      ['assets', encodeSet({ ...assetSet([]), assets: keyed })],
    ];
    for (const [pipeline, bytes] of sets) {
      const plain = Buffer.concat([...spliceSets(pipeline, [{ id: 'a', bytes: Buffer.from(bytes) }]).parts]);
      const before = decodeSet(pipeline, bytes);
      let otherwise = 0;
      for (let at = 0; at < bytes.length; at++) {
        const other = Buffer.from(bytes);
        // Set this byte to 2. If it is a boolean or a flag, 2 means true, just like 1.
        other[at] = 2;
        if (bytes[at] === 2 || refusal(() => decodeSet(pipeline, other)) !== undefined) continue;
        if (!isDeepStrictEqual(decodeSet(pipeline, other), before)) continue;
        otherwise++;
        const spliced = Buffer.concat([...spliceSets(pipeline, [{ id: 'a', bytes: other }]).parts]);
        if (!spliced.equals(plain)) throw new Error(`byte ${at}`);
      }
      expect(otherwise).toBeGreaterThan(10);
    }
  });

  test.each(pipelines)('leaves the bytes of plain %s in place', (pipeline) => {
    const path = `bucket/federated/cluster-1/etl/bingen/${pipeline}/1d/1794614400-1794700800`;
    const bytes = goldenBytes(path);
    const records = bytes.length - setStart(bytes);
    const { parts } = spliceSets(pipeline, [{ id: 'a', bytes }]);
    const inside = [...parts].filter((part) => part.buffer === bytes.buffer);
    expect(inside.reduce((sum, part) => sum + part.length, 0)).toBeGreaterThan(0.8 * records);
  });
});

describe('the union of string tables', () => {
  /**
   * Adds strings to the union, encoded like the string table of a file. Returns the index of each string in the union.
   */
  function addAll(union: StringUnion, strings: readonly string[]): number[] {
    const parts = strings.flatMap((text) => {
      const bytes = Buffer.from(text, 'latin1');
      return [Buffer.from([bytes.length & 255, bytes.length >> 8]), bytes];
    });
    const bytes = Buffer.concat(parts);
    const starts = [0];
    for (const text of strings) starts.push((starts.at(-1) ?? 0) + 2 + text.length);
    const order = Int32Array.from(strings, (_, index) => index);
    const indexes = new Int32Array(strings.length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    union.addAll({ bytes, view, starts: Int32Array.from(starts) }, order, strings.length, indexes);
    return [...indexes];
  }

  const someStrings = fc.array(
    fc.oneof(
      fc.constantFrom('', 'a', 'b', 'abcd', 'abce', 'abcdefgh', 'abcdefgi'),
      fc.nat(3000).map((number) => `name ${number}`),
      fc.nat(255).map((byte) => String.fromCharCode(byte).repeat(byte)),
    ),
    { maxLength: 200, size: 'max' },
  );

  test.each([64, 4, 1])('equals that of a Map, with at most %d probes per string', (longestProbe) => {
    fc.assert(
      fc.property(fc.array(someStrings, { maxLength: 6 }), (tables) => {
        const union = new StringUnion({ bytes: 64, longestProbe });
        const expected = new Map<string, number>();
        for (const table of tables) {
          const indexes = addAll(union, table);
          table.forEach((text, place) => {
            if (!expected.has(text)) expected.set(text, expected.size);
            if (indexes[place] !== expected.get(text)) throw new Error(`${text}: ${indexes[place]}`);
          });
        }
        expect(union.size).toBe(expected.size);
        for (const [text, index] of expected) if (union.text(index) !== text) throw new Error(text);
      }),
      propertyRuns(40, 1000),
    );
  });

  test('forgets the last file', () => {
    const union = new StringUnion({ longestProbe: 1 });
    addAll(union, ['a', 'b', 'c', 'd']);
    union.forgetFrom(2);
    expect(addAll(union, ['d', 'a', 'c', 'b'])).toEqual([2, 0, 3, 1]);
    expect(union.table().toString('latin1')).toBe('BGST\x04\0\0\0\x01\0a\x01\0b\x01\0d\x01\0c');
  });

  test.each([64, 1])('grows, with at most %d probes per string', (longestProbe) => {
    const union = new StringUnion({ bytes: 1, longestProbe });
    const strings = Array.from({ length: 50_000 }, (_, index) => `string ${index}`);
    for (let i = 0; i < strings.length; i += 5_000) addAll(union, strings.slice(i, i + 5_000));
    expect(isDeepStrictEqual(addAll(union, strings), [...strings.keys()])).toBe(true);
    expect(union.add('string 49999')).toBe(49_999);
    expect(union.add('x'.repeat(70_000))).toBe(50_000);
    expect(union.text(50_000)).toHaveLength(65_535);
  });
});
