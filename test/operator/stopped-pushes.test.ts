import type { Client } from '@temporalio/client';
import { roleGone, stoppedPushes } from '../../operator/stopped-pushes';
import { endWorkflow } from '../../workers/end-workflow';
import { names } from '../../workflows/names';
import { describeWithTemporal, withOwnNamespace } from '../servers/temporal';

let client: Client;
withOwnNamespace((own) => (client = own));

describeWithTemporal('pushes that were stopped on purpose', () => {
  it('are those of clusters whose settings took the role away, and no others', async () => {
    const { push } = names('');
    for (const cluster of ['runs', 'role-gone', 'terminated'])
      await client.workflow.start('push', { workflowId: push(cluster), taskQueue: 'nobody', args: [] });
    await endWorkflow(client, push('role-gone'), roleGone);
    await endWorkflow(client, push('terminated'), 'by mistake');
    const asked = ['runs', 'role-gone', 'terminated', 'never-started'];
    expect([...(await stoppedPushes(client, names(''), asked))]).toEqual(['role-gone']);
  });
});
