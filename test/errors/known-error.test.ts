import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { ActivityFailure, ApplicationFailure, RetryState, TimeoutFailure } from '@temporalio/common';
import { catalog } from '../../errors/catalog';
import { FederationError } from '../../errors/federation-error';
import { withHint } from '../../errors/hints';
import { knownError } from '../../errors/known-error';
import { asFailure } from '../../workers/as-activity';
import { failureOf } from '../../workflows/attempts';
import { asRunFailure } from '../../workflows/failure';

/** Returns the error that `work` throws. */
async function thrownBy(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'known-error-'));
afterAll(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();
const absent = path.join(folder, 'absent');

it.each([
  'tlsv13 alert certificate required',
  'sslv3 alert bad certificate',
  'sslv3 alert certificate expired',
  'sslv3 alert certificate unknown',
  'sslv3 alert certificate revoked',
  'sslv3 alert unsupported certificate',
  'tlsv1 alert unknown ca',
  'sslv3 alert handshake failure',
])('the alert "%s" of a Temporal server is about the certificate of the client', (alert) => {
  const last = `Error: 40B7:error:0A000412:SSL routines:ssl3_read_bytes:${alert}:../ssl/rec_layer_s3.c:916:SSL alert number 42`;
  const details = `No connection established. Last error: ${last} (2026-11-30T10:00:00.000Z)`;
  const error = Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details, metadata: {} });
  expect(knownError(error, { address: 'temporal:7233', tls: true })).toMatchObject({
    code: 'TEMPORAL_UNAVAILABLE',
    detail: 'No Temporal server answers at temporal:7233: the server does not accept the client certificate.',
    hint: expect.stringContaining('TEMPORAL_TLS_CLIENT_CERT_PATH'),
  });
});

describe('an error that a user can cause is of the catalogue:', () => {
  it.each<[string, () => unknown, string]>([
    [
      'a file that is absent',
      () => readFileSync(absent),
      `ENOENT: no such file or directory, open '${absent}'.`,
    ],
    [
      'a folder in the place of a file',
      () => readFileSync(folder),
      'EISDIR: illegal operation on a directory, read.',
    ],
    [
      'a file in the place of a folder',
      () => readdirSync(__filename),
      `ENOTDIR: not a directory, scandir '${__filename}'.`,
    ],
    [
      'an address where nothing listens',
      () => once(connect(1, '127.0.0.1'), 'connect'),
      'connect ECONNREFUSED 127.0.0.1:1.',
    ],
  ])('%s', async (_, work, detail) => {
    const error = await thrownBy(work);
    expect(knownError(error)).toMatchObject({ code: 'SYSTEM_REFUSED', detail, retryable: true });
    expect(knownError(new Error('Reading failed', { cause: error }))).toMatchObject({
      code: 'SYSTEM_REFUSED',
      detail,
    });
  });

  it('one that has a code already, as a cause or as the type of a failure', () => {
    const full = new FederationError('STORAGE_QUOTA_EXCEEDED', { detail: 'It is full.' });
    expect(knownError(new Error('Writing failed', { cause: full }))).toBe(full);
    const failure = ApplicationFailure.create({ type: 'RUN_NOT_FOUND', message: 'There is no such run.' });
    expect(knownError(new Error('Update failed', { cause: failure }))).toMatchObject({
      code: 'RUN_NOT_FOUND',
      detail: 'There is no such run.',
    });
  });

  it('one that carries its own hint, whose text ends without a full stop', () => {
    const hint = 'Set config.checksum to crc32.';
    const thrown = new FederationError('STORE_CONFIG_INVALID', { detail: 'Could not write', hint });
    const failure = asFailure(thrown, signal);
    const inActivity = new ActivityFailure(
      'Activity task failed',
      'pushLocalEtl',
      '1',
      RetryState.NON_RETRYABLE_FAILURE,
      undefined,
      failure,
    );
    const kept = { code: 'STORE_CONFIG_INVALID', message: 'Could not write', hint };
    expect(failureOf(inActivity)).toEqual(kept);
    expect(failureOf(asRunFailure(inActivity))).toEqual(kept);
    expect(knownError(inActivity)).toMatchObject({ code: 'STORE_CONFIG_INVALID', hint });
    expect(withHint(kept)).toBe(`STORE_CONFIG_INVALID: Could not write. ${hint}`);
    // A hint of the catalogue is not carried along.
    const plain = asFailure(new FederationError('STORE_CONFIG_INVALID', { detail: 'No.' }), signal);
    const { hint: general } = catalog.STORE_CONFIG_INVALID;
    expect(failureOf(plain)).toEqual({ code: 'STORE_CONFIG_INVALID', message: 'No.' });
    expect(withHint(failureOf(plain))).toBe(`STORE_CONFIG_INVALID: No. ${general}`);
  });

  it('a step whose process was killed', () => {
    const timeout = new TimeoutFailure('activity Heartbeat timeout', undefined, 'HEARTBEAT');
    const failure = new ActivityFailure(
      'Activity task failed',
      'pushLocalEtl',
      '1',
      RetryState.TIMEOUT,
      undefined,
      timeout,
    );
    expect(failureOf(failure)).toEqual({
      code: 'STEP_TIMED_OUT',
      message: 'The step pushLocalEtl did not end in time (HEARTBEAT).',
    });
  });
});

it('an error that only this program can cause is INTERNAL', () => {
  const error = new TypeError('x is not a function');
  expect(knownError(error)).toMatchObject({ code: 'INTERNAL', detail: error.message, cause: error });
  expect(knownError('odd')).toMatchObject({ code: 'INTERNAL', detail: 'odd' });
});
