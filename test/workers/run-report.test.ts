import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import { parseRunKey, runsPrefix } from '../../federation/layout';
import { startCluster } from '../../scripts/demo/cluster-process';
import { openBucketFromFile } from '../../storage/open-bucket';
import { writeFederator } from '../end-to-end/five-clusters';
import { builtProgram } from '../servers/program';
import { connectToTestServer, describeWithTemporal } from '../servers/temporal';
import { until } from '../until';

const golden = path.join(__dirname, '..', 'golden', 'bucket', 'federated');

describeWithTemporal('the report of a run', () => {
  it('has the store calls of the federator', async () => {
    const server = await connectToTestServer();
    const dir = await mkdtemp(path.join(os.tmpdir(), 'federated-etl-report-'));
    await cp(golden, path.join(dir, 'bucket', 'federated'), { recursive: true });
    const temporal = { address: server.address, namespace: await server.createNamespace() };
    const place = { temporal, firstRunAfter: '2s', runEvery: '1h' };
    const federator = await startCluster(await writeFederator(dir, 'f', place), await builtProgram());
    const bucket = await openBucketFromFile(path.join(dir, 'federated-store.yaml'));
    try {
      const report = await until('a report', async () => {
        for await (const entry of bucket.list(runsPrefix, { delimiter: '/' })) {
          const run = entry.kind === 'prefix' ? parseRunKey(entry.prefix)?.run : undefined;
          if (run !== undefined) return readDocument(bucket, documents.runReport.at(run));
        }
        return undefined;
      });
      expect(report).toMatchObject({ outcome: 'complete', clusters: 5 });
      // A run lists six folders: the folder that contains all clusters, and the folder of each of the five clusters.
      expect(report.calls.list).toBeGreaterThanOrEqual(6);
      expect(report.calls.get).toBeGreaterThanOrEqual(5 * report.windows.merged);
      expect(report.calls.put).toBeGreaterThanOrEqual(2 * report.windows.merged);
      expect(report.calls.create).toBeGreaterThanOrEqual(2);
    } finally {
      await federator.stop();
      await bucket.close();
      await server.close();
      await rm(dir, { recursive: true, force: true });
    }
  });
});
