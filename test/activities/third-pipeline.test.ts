import '../etl/register-tickets';
import { createDescribeShard } from '../../activities/describe-shard';
import { createPlanFederation } from '../../activities/plan-federation';
import { createRecordRequest } from '../../activities/record-request';
import type { MergeThreads } from '../../activities/threads/merge-threads';
import { timeWindow } from '../../bench/made-up';
import { clusterId } from '../../etl/cluster-id';
import { extractContribution } from '../../etl/contribution';
import { dumpSet } from '../../etl/dump';
import { decodeSet, encodeSet } from '../../etl/file';
import type { EtlSet } from '../../etl/model';
import { recordClusters, totalCost } from '../../etl/set-facts';
import type { Pipeline, WindowId } from '../../etl/window';
import { clusterEtlKey } from '../../federation/layout';
import { expectSpliced } from '../etl/same-splice';
import type { Ticket, TicketSet } from '../etl/tickets';
import { ClusterOnDisk } from '../local-etl/cluster-on-disk';
import { TestFederator } from './federated-bucket';

/** A third pipeline, which is not in the type `Pipeline`. Code that handles pipelines must handle it as well. */
const tickets = 'tickets' as Pipeline;
const at = { start: 1_794_614_400, end: 1_794_700_800 };
const id = `tickets/1d/${at.start}-${at.end}` as WindowId;

function ticket(cluster: string, name: string, cost: number, version = 2): [string, Ticket] {
  return [name, { version, name, cluster, window: timeWindow(at), cost }];
}

function fileOf(currency: string, ...records: [string, Ticket][]): Buffer {
  const urgent = records.filter(([name]) => name.includes('__urgent__'));
  const set: TicketSet = {
    kind: 'tickets',
    version: 1,
    currency,
    tickets: new Map(records),
    urgentKeys: new Map(urgent.map(([name]) => [name, true])),
    fromSource: 'desk',
    window: timeWindow(at),
    warnings: null,
    errors: [],
  };
  return encodeSet(set as unknown as EtlSet);
}

const own = fileOf('EUR', ticket('cluster-5', 'a', 1), ticket('cluster-5', '__urgent__/b', 2, 3));
const other = fileOf('EUR', ticket('cluster-1', 'c', 4), ticket('cluster-1', '__urgent__/d', 8));
const shared = fileOf('EUR', ticket('cluster-2', 'a', 16), ticket('cluster-2', 'e', 32));

describe('a third pipeline', () => {
  it('is read and written as it is', () => {
    const set = decodeSet(tickets, own);
    expect(encodeSet(set)).toEqual(own);
    expect(set.version).toBe(3);
    expect(recordClusters(set)).toEqual(['cluster-5']);
    expect(totalCost(set)).toBe(3);
    expect(dumpSet(set, { codecVersions: false })).toMatchObject({
      kind: 'TicketSet',
      currency: 'EUR',
      urgentKeys: { '__urgent__/b': true },
      tickets: [
        { key: '__urgent__/b', cost: 2 },
        { key: 'a', name: 'a', cluster: 'cluster-5', cost: 1 },
      ],
    });
    expect(() => decodeSet('assets', own)).toThrow('This is a file of tickets, not of assets.');
  });

  it.each([
    ['records pass', [own, other], 15, true],
    ['a record is added', [own, other, shared], 63, false],
  ])('is spliced as it is merged when %s', (_, files, cost, passes) => {
    const inputs = files.map((bytes, index) => ({ id: `cluster-${index}`, bytes }));
    const { spliced, passed } = expectSpliced(tickets, inputs);
    expect(passed).toBe(passes);
    const merged = Buffer.concat([...spliced.parts]);
    const set = decodeSet(tickets, merged) as unknown as TicketSet;
    expect(totalCost(set as unknown as EtlSet)).toBe(cost);
    expect([...(set.urgentKeys ?? []).keys()]).toEqual(['__urgent__/b', '__urgent__/d']);
    expect(set.tickets?.get('a')?.cost).toBe(passes ? 1 : 17);
    expect(extractContribution(tickets, merged, spliced.contributions[1]!)).toEqual(other);
  });

  it('is pushed, planned, merged and pulled', async () => {
    await using disk = await ClusterOnDisk.make();
    await disk.build(id, own);
    expect(await disk.push()).toMatchObject({ files: 1, uploaded: 1 });
    await disk.bucket.put(clusterEtlKey(clusterId('cluster-1'), id), other);

    const { deps } = new TestFederator(disk.bucket, {} as MergeThreads);
    const request = { trigger: 'person', at: '2026-11-20T00:00:00.000Z' } as const;
    await createRecordRequest(deps)({ run: 'r1', request });
    const plan = await createPlanFederation(deps)({ run: 'r1', attempt: 1, request });
    expect(plan).toMatchObject({ outcome: 'work', planned: 1 });
    const { windows } = await createDescribeShard(deps)({ run: 'r1', attempt: 1, shard: 0 });
    expect(windows).toMatchObject([{ window: id }]);

    const { spliced } = expectSpliced(tickets, [
      { id: 'cluster-1', bytes: other },
      { id: 'cluster-5', bytes: own },
    ]);
    const bytes = Buffer.concat([...spliced.parts]);
    await disk.commit(1, { [id]: { bytes, from: ['cluster-1', 'cluster-5'] } });
    expect(await disk.pull()).toMatchObject({ state: 'pulled', replaced: 1 });
    expect(await disk.local(id)).toEqual(bytes);
  });
});
