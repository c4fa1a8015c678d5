import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { archiveName, downloadTemporal } from '../../scripts/set-up/temporal-download';
import { program, scratchFolder, temporalLines } from './scratch';

const scratch = scratchFolder();
const say = (): void => undefined;
const name = archiveName('1.5.1', process.platform, process.arch) ?? '';
let server: Server;
let releases = '';
let files: Record<string, Buffer> = {};

beforeEach(async () => {
  program(path.join(scratch(), 'temporal'), ...temporalLines);
  const archive = path.join(scratch(), 'archive');
  execFileSync('tar', ['-czf', archive, '-C', scratch(), 'temporal']);
  files = { [`/v1.5.1/${name}`]: readFileSync(archive) };
  server = createServer((request, response) => {
    const body = files[request.url ?? ''];
    response.writeHead(body ? 200 : 404).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  releases = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  mkdirSync(path.join(scratch(), 'to'));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const download = (checksums: Record<string, string>): ReturnType<typeof downloadTemporal> =>
  downloadTemporal('1.5.1', { say, releases, checksums }, path.join(scratch(), 'to'));
const digest = (): string =>
  createHash('sha256')
    .update(files[`/v1.5.1/${name}`] ?? '')
    .digest('hex');

describe('downloading the Temporal CLI', () => {
  test('extracts the program from an archive with the pinned checksum', async () => {
    expect(await download({ [name]: digest() })).toEqual({ path: path.join(scratch(), 'to', 'temporal') });
  });

  test('refuses a different file', async () => {
    expect((await download({ [name]: 'another' })).problem).toMatch(/not the published file/);
  });

  test('fetches a checksum that is not pinned from the release', async () => {
    expect((await download({})).problem).toBe('HTTP 404');
    files['/v1.5.1/checksums.txt'] = Buffer.from(`${'0'.repeat(64)}  other.tar.gz\n${digest()}  ${name}\n`);
    expect((await download({})).path).toBeDefined();
  });

  test('reports in one line that nobody answers', async () => {
    await new Promise((resolve) => server.close(resolve));
    expect((await download({})).problem).toMatch(/^connect ECONNREFUSED .*$/);
    server = createServer().listen(0, '127.0.0.1');
  });

  test('knows the names of the archives', () => {
    expect(archiveName('1.5.1', 'darwin', 'arm64')).toBe('temporal_cli_1.5.1_darwin_arm64.tar.gz');
    expect(archiveName('1.5.1', 'win32', 'x64')).toBe('temporal_cli_1.5.1_windows_amd64.zip');
    expect(archiveName('1.5.1', 'aix', 'ppc64')).toBeUndefined();
  });
});
