import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { builtProgram } from '../servers/program';
import { connectToTestServer, describeWithTemporal } from '../servers/temporal';

describeWithTemporal('a process with a role that cannot start', () => {
  it('ends with the reason, even if workers of another role have been created', async () => {
    const server = await connectToTestServer();
    const folder = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-run-'));
    await mkdir(path.join(folder, 'bucket'));
    const file = path.join(folder, 'federated-etl.yaml');
    await writeFile(
      path.join(folder, 'store.yaml'),
      stringify({ type: 'FILESYSTEM', config: { directory: path.join(folder, 'bucket') } }),
    );
    const settings = {
      clusterId: 'c1',
      federatedETL: { federatedCluster: true, federator: { enabled: true } },
      storage: { configFile: 'store.yaml' },
      localEtl: { path: 'nowhere' },
      temporal: { address: server.address, namespace: await server.createNamespace() },
      health: { listen: '127.0.0.1:0' },
    };
    await writeFile(file, stringify(settings));
    const child = spawn(process.execPath, [await builtProgram(), 'run', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(Buffer.concat(said).toString()).toMatch(/^LOCAL_ETL_MISSING: /m);
    expect(status).toBe(1);
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
});
