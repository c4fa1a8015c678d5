import { readdir, readFile, readlink } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { startTemporalServer, type TemporalServerOptions } from '../../scripts/set-up/temporal-server';
import { temporalCliPath } from '../servers/paths';
import { describeWithTemporal } from '../servers/temporal';
import { program, scratchFolder } from './scratch';

const scratch = scratchFolder();

function options(more: Partial<TemporalServerOptions> = {}): TemporalServerOptions {
  return { binary: temporalCliPath(), headless: true, logFile: path.join(scratch(), 'server.log'), ...more };
}

/**
 * Returns the addresses on which a process listens, in hexadecimal as the kernel reports them: `0100007F` is 127.0.0.1.
 */
async function listeningAddresses(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(path.join(folder, fd)).catch(() => '')),
  );
  const sockets = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'utf8')));
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.has(inode))
    .map(([, local]) => (local ?? '').split(':')[0] ?? '');
}

describeWithTemporal('a Temporal server of our own', () => {
  test('uses other ports if the usual ones are taken, and resumes from its file', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const dbFile = path.join(scratch(), 'state', 'temporal.db');
    const settings = options({
      dbFile,
      headless: false,
      namespace: 'kept',
      preferredPort: port,
      preferredUiPort: port,
      searchAttributes: { Colour: 'Keyword' },
    });

    const first = await startTemporalServer(settings);
    expect(first.address).not.toContain(`:${port}`);
    expect(first.uiUrl).not.toContain(`:${port}`);
    expect((await fetch(first.uiUrl)).status).toBe(200);
    await using connection = await connect(first.address);
    const client = new Client({ connection: connection.to, namespace: 'kept' });
    await client.workflow.start('anything', { taskQueue: 'none', workflowId: 'remembered' });

    // A second start with the same file returns the running server. The `stop` of this second result must not stop the
    // server.
    const other = await startTemporalServer(settings);
    expect(other).toMatchObject({ address: first.address, pid: first.pid, shared: true });
    await other.stop();
    await first.stop();

    const second = await startTemporalServer(settings);
    expect(second.shared).toBe(false);
    await using again = await connect(second.address);
    const described = await new Client({ connection: again.to, namespace: 'kept' }).workflow
      .getHandle('remembered')
      .describe();
    expect(described.status.name).toBe('RUNNING');
    const { config } = await again.to.workflowService.describeNamespace({ namespace: 'kept' });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 60 * 60);
    await second.stop();
    await new Promise((resolve) => taken.close(resolve));
  });

  (process.platform === 'linux' ? test : test.skip)('listens on loopback only', async () => {
    const server = await startTemporalServer(options({ headless: false }));
    const addresses = await listeningAddresses(server.pid);
    await server.stop();
    expect(addresses.length).toBeGreaterThanOrEqual(2);
    expect(new Set(addresses)).toEqual(new Set(['0100007F']));
  });

  test('shows the end of its log if it does not start', async () => {
    const binary = program(path.join(scratch(), 'temporal'), 'echo "the disk is full" >&2', 'exit 1');
    await expect(startTemporalServer(options({ binary }))).rejects.toThrow(
      /exited at once[^]*the disk is full/,
    );
  });
});

async function connect(address: string): Promise<AsyncDisposable & { to: Connection }> {
  const to = await Connection.connect({ address });
  return { to, [Symbol.asyncDispose]: () => to.close() };
}
