import type { FindOptions, GoServer } from '../../scripts/set-up/go-server';
import { describeWith } from './describe-with';
import { findGoProgram, startOnFreePort } from './go-program';
import { fakeGcsPath, missing } from './paths';
import { sharedServer } from './shared-servers';

/**
 * A server with the JSON API of Google Cloud Storage (GCS). It requires no credentials, and checks preconditions only
 * on uploads.
 */
export const fakeGcs: GoServer = {
  name: 'fake-gcs-server',
  version: '1.56.1',
  goPackage: 'github.com/fsouza/fake-gcs-server',
  ldflags: '-s -w',
  minimumGo: '1.26',
  packages: 464,
  coldBuild: '3 minutes',
  probes: [{ args: ['-help'], mustSay: ['-public-host'] }],
};

/**
 * Finds the GCS server. Looks at the path in FAKE_GCS_SERVER, on the PATH and in the project's cache. If the server is
 * not there, builds it with `go install`.
 */
export async function findFakeGcs(options: FindOptions): Promise<string> {
  return findGoProgram(fakeGcs, 'FAKE_GCS_SERVER', options);
}

/** Address at which a client connects to a GCS server. */
export interface GcsAccess {
  readonly endpoint: string;
}

export interface GcsServer extends GcsAccess {
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a separate GCS server, for tests that have to stop their server. The server keeps objects in memory. */
export async function startGcsServer(): Promise<GcsServer> {
  const { port, stop } = await startOnFreePort({
    name: fakeGcs.name,
    binary: fakeGcsPath(),
    args: (at) => [
      ...['-scheme', 'http', '-host', '127.0.0.1', '-port', String(at), '-public-host', `127.0.0.1:${at}`],
      ...['-backend', 'memory', '-log-level', 'error'],
    ],
    answers: answersAsItself,
  });
  const endpoint = `http://127.0.0.1:${port}`;
  return { endpoint, createBucket: (name) => createBucket(endpoint, name), stop };
}

/** Connects to the GCS server that all test files of a run share. */
export async function connectToGcs(): Promise<Omit<GcsServer, 'stop'>> {
  const { endpoint } = await sharedServer<GcsAccess>('gcs');
  return { endpoint, createBucket: (name) => createBucket(endpoint, name) };
}

/** Defines a suite that needs a GCS server. */
export function describeWithGcs(name: string, suite: () => void): void {
  describeWith(missing('fakeGcsMissing'), name, suite);
}

async function createBucket(endpoint: string, name: string): Promise<void> {
  const response = await fetch(`${endpoint}/storage/v1/b`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`the bucket ${name} could not be created: ${answer}`);
}

async function answersAsItself(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/storage/v1/b?project=test`);
    return ((await response.json()) as { kind?: unknown }).kind === 'storage#buckets';
  } catch {
    return false;
  }
}
