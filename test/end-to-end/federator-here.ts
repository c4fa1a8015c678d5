import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { stringify } from 'yaml';
import { silentLog } from '../../config/log';
import { loadSettings } from '../../config/settings';
import { combinedPrefix, probeKey } from '../../federation/layout';
import type { Bucket } from '../../storage/bucket';
import { withProbedCreate } from '../../storage/conditional-create';
import { startFederator } from '../../workers/federator';
import { Readiness } from '../../workers/health';
import { registerRoleMetrics } from '../../workers/metrics';
import { Releasers } from '../../workers/releasers';
import type { RoleContext } from '../../workers/role';
import { type RosterState, rosterState } from '../../workflows/messages';
import { names } from '../../workflows/names';
import type { TestServer } from '../servers/temporal';
import { until } from '../until';

export interface FederatorHere {
  readonly context: RoleContext;
  close(): Promise<void>;
}

/**
 * Starts a federator in this process, with a given bucket. The schedule starts no run before a day has passed. Writes
 * the settings file to `folder`. Returns once the roster has read the bucket.
 */
export async function startFederatorHere(
  server: TestServer,
  {
    namespace,
    idPrefix,
    bucket,
    folder,
  }: { namespace: string; idPrefix: string; bucket: Bucket; folder: string },
): Promise<FederatorHere> {
  const file = join(folder, `${idPrefix}.yaml`);
  const federator = { enabled: true, firstRunAfter: '24h', runEvery: '24h' };
  const settings = {
    clusterId: 'cluster-4',
    federatedETL: { federator },
    // This file must exist, but it is not read, because the bucket is given.
    storage: { configFile: file },
    temporal: { address: server.address, namespace, idPrefix },
  };
  await writeFile(file, stringify(settings));
  const held = new Releasers();
  const registry = new Registry();
  const roles = { federatedCluster: false, federator: true, primaryCluster: false };
  const readiness = new Readiness(roles);
  const context: RoleContext = {
    settings: loadSettings({ file, env: {} }),
    ...withProbedCreate(bucket, probeKey(combinedPrefix, randomUUID())),
    client: server.client(namespace),
    connection: server.connection,
    native: server.nativeConnection,
    dataConverter: {},
    names: names(idPrefix),
    log: silentLog,
    held,
    registry,
    metrics: registerRoleMetrics(registry, readiness),
    conditions: readiness.conditions,
  };
  const role = await startFederator(context);
  const running = role.workers.map((worker) => worker.run());
  await role.begin();
  const roster = context.client.workflow.getHandle(context.names.roster);
  await until('the roster', async () => (await roster.query<RosterState>(rosterState)).loaded);
  return {
    context,
    async close() {
      for (const worker of role.workers) worker.shutdown();
      await Promise.all(running);
      await role.close();
      await held[Symbol.asyncDispose]();
    },
  };
}
