import type { Client } from '@temporalio/client';
import pino from 'pino';
import { othersWithExistingConfig } from '../../operator/shared-config';
import { warnOfSharedConfig } from '../../workers/shared-config';
import { names } from '../../workflows/names';
import type { push } from '../../workflows/push';
import { describeWithTemporal, withOwnNamespace } from '../servers/temporal';
import { until } from '../until';

let client: Client;
withOwnNamespace((own) => (client = own));

/**
 * Starts the push workflow of a cluster, with the memo that the cluster's worker would give it. Tests only read the
 * memo, so no worker is needed.
 */
async function startPush(idPrefix: string, cluster: string, existingConfig: boolean) {
  const workflowId = names(idPrefix).push(cluster);
  const args: Parameters<typeof push> = [{ cluster, instance: 'v', rescanEveryMs: 1_000 }];
  const memo = { instance: 'v', existingConfig };
  return client.workflow.start<typeof push>('push', { workflowId, taskQueue: 'nobody', args, memo });
}

describeWithTemporal('the store of Kubecost’s backup', () => {
  it('is for one cluster: a second one is warned, naming the others', async () => {
    const lines: { event: string; clusters: string[]; msg: string }[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]) });
    await startPush('', 'cluster-1', true);
    await startPush('', 'cluster-2', false);
    await startPush('other-', 'cluster-7', true);
    const ended = await startPush('', 'cluster-8', true);
    await ended.terminate();
    const others = (cluster: string) => othersWithExistingConfig(client, names(''), cluster);
    // Wait, because the server adds new workflows to its list after a delay.
    await until('the list', async () => (await others('cluster-3')).join() === 'cluster-1');
    expect(await others('cluster-1')).toEqual([]);

    await warnOfSharedConfig(client, names(''), 'cluster-1', log);
    expect(lines).toEqual([]);
    await warnOfSharedConfig(client, names(''), 'cluster-3', log);
    expect(lines).toMatchObject([
      {
        event: 'storage.shared-with-backup',
        clusters: ['cluster-1'],
        msg: expect.stringContaining('unreliable'),
      },
    ]);
  });
});
