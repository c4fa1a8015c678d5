import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describeError } from '../../errors/federation-error';
import { cacheFolder } from '../../scripts/set-up/cache-folder';
import { findTemporal } from '../../scripts/set-up/temporal-cli';
import { startTemporalServer } from '../../scripts/set-up/temporal-server';
import { long } from '../etl/run-counts';
import { startAzureServer } from './azurite';
import { findFakeGcs, startGcsServer } from './fake-gcs';
import { findHelm } from './helm';
import { temporalCliPath, variables } from './paths';
import { buildForRun } from './program';
import { findPromtool } from './promtool';
import { type SharedServer, SharedServers } from './shared-servers';
import { findVersitygw, startS3Server } from './versitygw';

/** Everything that a test run has started. `tearDown` stops it after the last test file. */
export interface TestRun {
  readonly servers: SharedServers;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Prepares a test run: finds or builds the test servers, Helm and, for the long form, promtool. Then lets test files
 * request the servers and the built program.
 */
export async function setUp(): Promise<TestRun> {
  await note(variables.temporalCli, variables.temporalMissing, async () => {
    const temporal = await findTemporal({ say, useAddress: false });
    return temporal.kind === 'binary' ? temporal.path : undefined;
  });
  await note(variables.versitygw, variables.versitygwMissing, () => findVersitygw({ say }));
  await note(variables.fakeGcs, variables.fakeGcsMissing, () => findFakeGcs({ say }));
  await note(variables.helm, variables.helmMissing, () => findHelm({ say }));
  if (long) await note(variables.promtool, variables.promtoolMissing, () => findPromtool({ say }));
  // Without a Temporal CLI, tests can still use the running server at TEMPORAL_ADDRESS. So do not report Temporal as
  // missing.
  if (process.env['TEMPORAL_ADDRESS']) delete process.env[variables.temporalMissing];

  const servers = new SharedServers({
    temporal: startTemporal,
    s3: startS3,
    gcs: startGcs,
    azure: startAzure,
    program: buildForRun,
  });
  process.env[variables.sharedServers] = await servers.open();
  return { servers };
}

async function startTemporal(): Promise<SharedServer> {
  const running = process.env['TEMPORAL_ADDRESS'];
  if (process.env[variables.temporalCli] === undefined && running) {
    return { access: { address: running }, stop: () => Promise.resolve() };
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-temporal-'));
  const { address, stop } = await startTemporalServer({
    binary: temporalCliPath(),
    headless: true,
    logFile: path.join(folder, 'temporal.log'),
    remove: [folder],
  });
  return { access: { address }, stop: () => stop().then(() => rm(folder, { recursive: true, force: true })) };
}

async function startS3(): Promise<SharedServer> {
  const rootDir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-buckets-'));
  const {
    stop,
    createBucket: _,
    ...access
  } = await startS3Server({ rootDir, temporary: true }).catch(() =>
    // The S3 server needs extended attributes. A temporary folder in RAM may not support them. So try again with the
    // project's cache folder, which is on a disk.
    startS3Server({ rootDir: path.join(cacheFolder(), `test-buckets-${process.pid}`), temporary: true }),
  );
  return { access, stop };
}

async function startGcs(): Promise<SharedServer> {
  const { stop, endpoint } = await startGcsServer();
  return { access: { endpoint }, stop };
}

async function startAzure(): Promise<SharedServer> {
  const { stop, createContainer: _, ...access } = await startAzureServer();
  return { access, stop };
}

/**
 * Passes the path of a program to the test files in the environment variable `variable`. If the program is missing,
 * passes the reason in the environment variable `reason` instead.
 */
async function note(
  variable: string,
  reason: string,
  find: () => Promise<string | undefined>,
): Promise<void> {
  delete process.env[variable];
  delete process.env[reason];
  try {
    const found = await find();
    if (found !== undefined) process.env[variable] = found;
  } catch (error) {
    process.env[reason] = describeError(error);
    say(describeError(error));
  }
}

/** Stops everything that `setUp` has started. */
export async function tearDown(run: TestRun): Promise<void> {
  await run.servers.close();
}
