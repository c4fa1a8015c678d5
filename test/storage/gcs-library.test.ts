import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { loadTypescript } from '../servers/load-typescript';

/**
 * Shows why the driver sends its own requests to GCS: each test demonstrates a limitation of `@google-cloud/storage`.
 * If a test fails after an update of the library, the library no longer has this limitation. Check whether the driver
 * can now use the library's own method.
 */
describe('the methods of @google-cloud/storage', () => {
  let seen: Record<string, unknown>;
  beforeAll(async () => {
    const script = path.join(__dirname, 'watch-gcs-library.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [...loadTypescript, script], {
      env: { ...process.env, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1', STORAGE_EMULATOR_HOST: undefined },
    });
    seen = JSON.parse(stdout) as Record<string, unknown>;
  });

  test('have no deadline for a silent store', () => {
    expect(seen['deadline']).toEqual({ listing: 'pending', upload: 'pending' });
  });

  test('take neither an agent (connections, certificates) nor an AbortSignal', () => {
    expect(seen['connections']).toEqual({ made: 0, files: 0 });
  });

  test('keep the request of a download that was abandoned before its response', () => {
    expect(seen['download']).toBe('pending');
  });

  test('delete any generation if a checksum does not match', () => {
    expect(seen['checksum']).toEqual([
      ['POST', 'any'],
      ['DELETE', 'any'],
    ]);
  });

  test('send no checksum that the store could compare before a resumable upload is visible', () => {
    expect(seen['resumable']).toEqual(['none', 'none', 'none']);
  });

  test('do not cancel a resumable upload that failed', () => {
    expect(seen['failed']).toEqual(['POST', 'PUT']);
  });

  test('send the chunks of a resumable upload to any host that a response names', () => {
    expect(seen['elsewhere']).toEqual({ here: 1, elsewhere: 1 });
  });

  test('continue a chunk whose signal was aborted', () => {
    expect(seen['aborted']).toBe('pending');
  });

  test('send requests to STORAGE_EMULATOR_HOST instead of the configured endpoint', () => {
    expect(seen['emulator']).toEqual({ named: 0, other: 1 });
  });
});
