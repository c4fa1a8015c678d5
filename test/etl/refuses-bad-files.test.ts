import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { decodeSet } from '../../etl/file';
import type { Pipeline } from '../../etl/window';
import { edgeFiles, goldenBytes } from './golden-files';
import { runs } from './run-counts';

/** Expected error code of each invalid golden file. */
const codes: Record<string, ErrorCode> = {
  'zero-bytes.allocations': 'ETL_EMPTY_FILE',
  'one-byte.allocations': 'ETL_TRUNCATED',
  'magic-only.allocations': 'ETL_TRUNCATED',
  'bad-magic.allocations': 'ETL_CORRUPT',
  'cut-in-table.allocations': 'ETL_TRUNCATED',
  'cut-after-table.allocations': 'ETL_TRUNCATED',
  'cut-in-record.allocations': 'ETL_TRUNCATED',
  'last-byte-missing.allocations': 'ETL_TRUNCATED',
  'cut-in-record.assets': 'ETL_TRUNCATED',
  'last-byte-missing.assets': 'ETL_TRUNCATED',
  'trailing-bytes.allocations': 'ETL_CORRUPT',
  'future-version.allocations': 'ETL_TOO_NEW',
  'future-version.assets': 'ETL_TOO_NEW',
  'version-zero.allocations': 'ETL_CORRUPT',
  'ancient-version.allocations': 'ETL_TOO_OLD',
  'future-record-version.allocations': 'ETL_TOO_NEW',
  'index-out-of-table.allocations': 'ETL_CORRUPT',
  'index-negative.allocations': 'ETL_CORRUPT',
  'count-huge.allocations': 'ETL_CORRUPT',
  'count-negative.allocations': 'ETL_CORRUPT',
  'table-count-huge.allocations': 'ETL_CORRUPT',
  'table-count-negative.allocations': 'ETL_CORRUPT',
  'time-version.allocations': 'ETL_CORRUPT',
  'time-length.allocations': 'ETL_CORRUPT',
  'unknown-type.assets': 'ETL_CORRUPT',
  'allocations-in-assets.assets': 'ETL_WRONG_PIPELINE',
  'assets-in-allocations.allocations': 'ETL_WRONG_PIPELINE',
  'random.allocations': 'ETL_CORRUPT',
};

/**
 * Decodes a file. Returns undefined if that succeeds, and the error if the file is refused. A refusal is an error with
 * an ETL code and a byte position. Throws any other error.
 */
function refusal(pipeline: Pipeline, bytes: Uint8Array): FederationError | undefined {
  try {
    decodeSet(pipeline, bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    // Do not use `expect` here: it is too slow for the many thousands of calls.
    if (!error.code.startsWith('ETL_') || error.subject.byte === undefined) throw error;
    return error;
  }
}

const samples: [Pipeline, string][] = [
  ['allocations', 'edge/versions/allocations.v25'],
  ['allocations', 'edge/versions/allocations.v15'],
  ['allocations', 'edge/valid/no-table.allocations'],
  ['allocations', 'edge/valid/nil-records.allocations'],
  ['assets', 'edge/versions/assets.v21'],
  ['assets', 'edge/valid/no-table.assets'],
  ['assets', 'edge/valid/bare.assets'],
  ['assets', 'edge/valid/aggregated.assets'],
];

describe('bad files are refused', () => {
  test('the table names each of them', () => {
    const files = edgeFiles('error').map(({ file }) => file.replace('invalid/', ''));
    expect(files.sort()).toEqual(Object.keys(codes).sort());
  });

  test.each(edgeFiles('error'))('$file: $note', ({ file, kind }) => {
    const error = refusal(kind, goldenBytes(`edge/${file}`));
    expect(error?.code).toBe(codes[file.replace('invalid/', '')]);
  });

  test.each(samples)('%s truncated at any byte are refused as truncated: %s', (pipeline, path) => {
    const bytes = goldenBytes(path);
    const stride = runs(7, 1);
    for (let length = 1; length < bytes.length; length += length < 200 ? 1 : stride) {
      const code = refusal(pipeline, bytes.subarray(0, length))?.code;
      if (code !== 'ETL_TRUNCATED') throw new Error(`cut to ${length} bytes: ${code}`);
    }
  });

  test('a gzipped file truncated at any byte is refused', () => {
    const bytes = goldenBytes('edge/valid/gzipped.allocations.gz');
    for (let length = 2; length < bytes.length; length++) {
      expect(refusal('allocations', bytes.subarray(0, length))?.code).toBe('ETL_TRUNCATED');
    }
  });

  test('invalid gzip is refused as corrupt', () => {
    const bytes = Buffer.from(goldenBytes('edge/valid/gzipped.allocations.gz'));
    bytes.writeUInt32LE(bytes.readUInt32LE(bytes.length - 8) ^ 1, bytes.length - 8);
    expect(refusal('allocations', bytes)?.code).toBe('ETL_CORRUPT');
  });

  test('a gzip bomb is refused without unpacking it', () => {
    expect(refusal('assets', gzipSync(Buffer.alloc(1 << 26)))?.code).toBe('ETL_TOO_LARGE');
  });

  test('a gzipped file in the wrong pipeline is reported with its own', () => {
    const bytes = gzipSync(goldenBytes('edge/versions/assets.v21'));
    expect(refusal('allocations', bytes)?.code).toBe('ETL_WRONG_PIPELINE');
  });
});
