import { WorkflowNotFoundError } from '@temporalio/client';
import { FederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import type { Generation } from '../../federation/generation';
import { summarizeCluster } from '../../operator/survey';
import { type TemporalView, temporalView } from '../../operator/temporal-view';
import type { Context } from '../../scripts/context';
import type { RosterState } from '../../workflows/messages';
import { names } from '../../workflows/names';

const roster: RosterState = {
  id: 'roster-1',
  bucket: 'file:///bucket',
  loaded: true,
  exclusions: { c2: { reason: 'odd prices', at: '2026-11-20T10:00:00Z' } },
  primaries: ['c4', 'c5'],
};

/** What a fake workflow says: it answers any query with `answer`, never answers, or has ended. */
interface Fake {
  readonly answer?: unknown;
  readonly ended?: string;
}

/**
 * Makes a context with a fake Temporal. `workflows` maps the id of each workflow to what it says. Other workflows do
 * not exist.
 */
function contextWith(workflows: Record<string, Fake>): Context & { asked: () => number } {
  let asked = 0;
  const absent = () => Promise.reject(new WorkflowNotFoundError('no such workflow', '', undefined));
  const client = {
    withDeadline: (_: number, call: () => unknown) => call(),
    options: { namespace: 'default' },
    workflowService: { getWorkflowExecutionHistoryReverse: async () => ({}) },
    schedule: {
      getHandle: () => ({ describe: async () => ({ state: {}, spec: {}, info: { nextActionTimes: [] } }) }),
    },
    workflow: {
      list: async function* ({ query }: { query: string }) {
        for (const [workflowId, { ended }] of Object.entries(workflows))
          if (ended === undefined && query.includes(`'${workflowId.split(/[-/]/)[1]}'`)) yield { workflowId };
      },
      getHandle: (id: string) => {
        const found = workflows[id];
        return {
          query: () => {
            asked += 1;
            if (found === undefined) return absent();
            return found.answer === undefined ? new Promise(() => undefined) : Promise.resolve(found.answer);
          },
          describe: async () =>
            found === undefined
              ? absent()
              : found.ended === undefined
                ? { status: { name: 'RUNNING' }, raw: {} }
                : { status: { name: 'TERMINATED' }, closeTime: new Date(found.ended) },
        };
      },
    },
  };
  const context = {
    names: names('blue-'),
    temporal: () => Promise.resolve({ client }),
  } as unknown as Context;
  return Object.assign(context, { asked: () => asked });
}

/** Returns the view, without waiting as long as it waits. */
async function viewOf(...asked: Parameters<typeof temporalView>): Promise<TemporalView> {
  jest.useFakeTimers();
  try {
    const view = temporalView(...asked);
    await jest.advanceTimersByTimeAsync(5_000);
    return await view;
  } finally {
    jest.useRealTimers();
  }
}

describe('state that only Temporal has', () => {
  it('comes from the workflows that answer; the others are named', async () => {
    const view = await viewOf(
      contextWith({
        'blue-roster': { answer: roster },
        'blue-push/c1': { answer: { cluster: 'c1' } },
        'blue-push/c2': {},
        'blue-pull/c5': { answer: { cluster: 'c5' } },
      }),
      { pushing: [clusterId('c1'), clusterId('c2'), clusterId('c3')] },
    );
    expect(view.roster).toBe(roster);
    expect([...view.push.keys()]).toEqual(['c1']);
    expect([...view.pull.keys()]).toEqual(['c5']);
    expect(view.pushing).toEqual(['c1', 'c2']);
    expect(view.missing).toEqual([
      'The primary c4 does not answer: does it run?',
      'The cluster c2 does not answer: does it run?',
    ]);
  });

  it('includes clusters that push but are not known yet, except for removed ones', async () => {
    const context = contextWith({
      'blue-push/c17': { answer: { cluster: 'c17' } },
      'blue-push/c18': { answer: { cluster: 'c18' } },
      'green-push/c19': { answer: { cluster: 'c19' } },
      'blue-push/a/b': { answer: {} },
    });
    const view = await viewOf(context, { pushing: [], removed: ['c18'] });
    expect([...view.push.keys()]).toEqual(['c17']);
    expect(view.pushing).toEqual(['c17']);
  });

  it('is not that of workflows that have ended: these are named, with the time', async () => {
    const ended = '2026-11-20T12:00:00.000Z';
    const since = '2026-11-20T10:00:00Z';
    const store = { role: 'federatedCluster', name: 'store', holds: 'yes', since };
    const conditions = [store];
    const answer = { ...roster, conditions: { c1: [{ ...store, role: 'federator' }] } };
    const workflows: Record<string, Fake> = {
      'blue-roster': { answer, ended },
      'blue-push/c1': { answer: { conditions }, ended },
      'blue-pull/c4': { answer: { conditions: [{ ...store, role: 'primaryCluster' }] } },
    };
    const view = await viewOf(contextWith(workflows), { pushing: [clusterId('c1')] });
    expect(view.roster).toBeUndefined();
    expect(view.push.size).toBe(0);
    // A primary is shown although there is no roster to name it.
    expect(view.conditions.map(({ role }) => role)).toEqual(['primaryCluster']);
    expect(view.missing).toEqual([
      expect.stringMatching(/^The roster has ended \(terminated at 2026-11-20T12:00:00\.000Z\)\./),
      expect.stringMatching(/^The push workflow of c1 has ended: terminated at 2026-11-20T12:00:00\.000Z\./),
    ]);
    workflows['blue-roster'] = { answer };
    workflows['blue-pull/c4'] = { answer: {}, ended };
    expect((await viewOf(contextWith(workflows), {})).missing).toContainEqual(
      expect.stringMatching(/^The pull of c4 has ended \(terminated at /),
    );
  });

  it('is complete after five seconds, however many workflows do not answer', async () => {
    const ids = Array.from({ length: 150 }, (_, index) => clusterId(`c${index}`));
    const silent = Object.fromEntries(ids.map((id) => [`blue-push/${id}`, {}]));
    const context = contextWith(silent);
    const { missing } = await viewOf(context, { pushing: ids });
    expect(missing).toContainEqual(
      '150 clusters do not answer: c0, c1, c2, c3, c4 and 145 more. Do they run?',
    );
    expect(context.asked()).toBeGreaterThanOrEqual(150);
  });

  it('may be empty', async () => {
    const { missing } = await viewOf(contextWith({}), {});
    expect(missing).toEqual(['The roster does not answer: does a federator run?']);
    const error = new FederationError('TEMPORAL_UNAVAILABLE', { detail: 'No Temporal server answers at x.' });
    const away = await viewOf({ temporal: () => Promise.reject(error) } as unknown as Context, {
      pushing: [clusterId('c1')],
    });
    expect(away.missing).toEqual([expect.stringMatching(/^No Temporal server answers at x\. Primaries,/)]);
  });
});

describe('membership', () => {
  const generation = {
    membership: {
      clusters: ['c1', 'c2'],
      excluded: {
        c3: { by: 'person', reason: 'being moved' },
        c4: { by: 'settings', reason: 'the settings exclude it' },
      },
    },
  } as unknown as Generation;

  it.each([
    ['c1', { membership: 'in' }],
    ['c2', { membership: 'in', reason: 'excluded from the next run on: odd prices; not in the bucket yet' }],
    ['c3', { membership: 'excluded', reason: 'included again from the next run on; not in the bucket yet' }],
    ['c4', { membership: 'excluded', reason: 'settings: the settings exclude it' }],
    ['c5', { membership: 'not yet' }],
  ])('%s: %j', (cluster, expected) => {
    const summary = summarizeCluster({ cluster: clusterId(cluster), files: [] }, generation, { roster }, 0);
    const { membership, reason } = summary;
    expect({ membership, ...(reason !== undefined && { reason }) }).toEqual(expected);
  });

  it('is that of the generation while the roster has not answered yet', () => {
    const view = { roster: { ...roster, loaded: false } };
    const { reason } = summarizeCluster({ cluster: clusterId('c2'), files: [] }, generation, view, 0);
    expect(reason).toBeUndefined();
  });
});
