import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { elapsed, type FindOptions, type Found } from './go-server';

/** Base URL of the Temporal CLI's releases. */
export const RELEASES = 'https://github.com/temporalio/cli/releases/download';

/** SHA-256 checksums of the archives of the pinned version. A download with another checksum is rejected. */
const CHECKSUMS: Readonly<Record<string, string>> = {
  'temporal_cli_1.5.1_linux_amd64.tar.gz': 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  'temporal_cli_1.5.1_linux_arm64.tar.gz': 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
  'temporal_cli_1.5.1_darwin_amd64.tar.gz':
    'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  'temporal_cli_1.5.1_darwin_arm64.tar.gz':
    'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
};

const CONNECT_MS = 5_000;
const IDLE_MS = 30_000;

export interface DownloadOptions extends FindOptions {
  /** Base URL of the releases. Tests use another URL. (Default: the official URL) */
  releases?: string;
  checksums?: Readonly<Record<string, string>>;
}

/** Returns the name of a release's archive for a platform, or undefined if there is none. */
export function archiveName(version: string, platform: string, arch: string): string | undefined {
  const os = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[platform];
  const cpu = { x64: 'amd64', arm64: 'arm64' }[arch];
  if (os === undefined || cpu === undefined) return undefined;
  return `temporal_cli_${version}_${os}_${cpu}.${os === 'windows' ? 'zip' : 'tar.gz'}`;
}

/** Downloads the Temporal CLI to a folder. Fails within seconds if there is no network. */
export async function downloadTemporal(
  version: string,
  options: DownloadOptions,
  folder: string,
): Promise<Found> {
  const { say, releases = RELEASES, checksums = CHECKSUMS } = options;
  const name = archiveName(version, process.platform, process.arch);
  if (name === undefined) return { problem: `no download for ${process.platform} on ${process.arch}` };
  const base = `${releases}/v${version}`;
  const started = Date.now();
  try {
    const response = await open(`${base}/${name}`);
    const size = Number(response.headers.get('content-length') ?? 0);
    say(`Downloading temporal ${version}${size > 0 ? ` (${megabytes(size)})` : ''}…`);
    const archive = path.join(folder, name);
    const digest = await save(response, archive, size, options);
    const expected = checksums[name] ?? (await publishedChecksum(`${base}/checksums.txt`, name));
    if (digest !== expected) return { problem: `the download is not the published file (SHA-256 ${digest})` };
    const binary = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
    await promisify(execFile)('tar', ['-xf', archive, '-C', folder, binary]);
    say(`Downloaded temporal ${version} in ${elapsed(started)}.`);
    return { path: path.join(folder, binary) };
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}

/** Requests a URL. The headers of the response must arrive within `CONNECT_MS`; the body may take longer. */
async function open(url: string): Promise<Response> {
  const patience = new AbortController();
  const timer = setTimeout(
    () => patience.abort(new Error(`no answer within ${CONNECT_MS / 1000} s`)),
    CONNECT_MS,
  );
  try {
    const response = await fetch(url, { signal: patience.signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return response;
  } finally {
    clearTimeout(timer);
  }
}

/** Writes the body of a response to a file and returns its SHA-256. */
async function save(response: Response, file: string, size: number, options: FindOptions): Promise<string> {
  const { say, progressMs = 10_000 } = options;
  if (response.body === null) throw new Error('the response has no body');
  const hash = createHash('sha256');
  const started = Date.now();
  let received = 0;
  const patience = new AbortController();
  const idle = setTimeout(() => patience.abort(new Error('the download stalled')), IDLE_MS);
  const progress = setInterval(() => {
    const share = size > 0 ? ` (${Math.floor((100 * received) / size)} %)` : '';
    say(`  … ${elapsed(started)}: ${megabytes(received)}${share}`);
  }, progressMs);
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      hash.update(chunk);
      idle.refresh();
      done(null, chunk);
    },
  });
  try {
    const body = Readable.fromWeb(response.body);
    await pipeline(body, measure, createWriteStream(file), { signal: patience.signal });
  } finally {
    clearTimeout(idle);
    clearInterval(progress);
  }
  return hash.digest('hex');
}

/**
 * Reads the checksum of an archive from the list that the release publishes. Used for platforms that `CHECKSUMS` lacks.
 */
async function publishedChecksum(url: string, name: string): Promise<string | undefined> {
  const text = await (await open(url)).text();
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, file]) => file === name)?.[0];
}

/**
 * Returns the message of an error. If the error has a cause, returns the message of the cause instead: errors of
 * `fetch` themselves only say "fetch failed".
 */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string } };
  return cause?.message || message || String(error);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
