import { FederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import type { Generation } from '../../federation/generation';
import { summarizeCluster } from '../../operator/survey';
import { temporalView } from '../../operator/temporal-view';
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

/**
 * Makes a context with a fake Temporal. `answers` maps the id of each workflow to the value that it returns for any
 * query.
 */
function contextWith(answers: Record<string, unknown>): Context {
  const client = {
    withDeadline: (_: number, call: () => unknown) => call(),
    schedule: {
      getHandle: () => ({ describe: async () => ({ state: {}, spec: {}, info: { nextActionTimes: [] } }) }),
    },
    workflow: {
      getHandle: (id: string) => ({
        query: () =>
          id in answers ? Promise.resolve(answers[id]) : Promise.reject(new Error('no such workflow')),
      }),
    },
  };
  return { names: names('blue-'), temporal: () => Promise.resolve({ client }) } as unknown as Context;
}

describe('state that only Temporal has', () => {
  it('comes from the workflows that answer; the others are named', async () => {
    const view = await temporalView(
      contextWith({
        'blue-roster': roster,
        'blue-push/c1': { cluster: 'c1' },
        'blue-pull/c5': { cluster: 'c5' },
      }),
      { pushing: ['c1', 'c2'] },
    );
    expect(view.roster).toBe(roster);
    expect([...view.push.keys()]).toEqual(['c1']);
    expect([...view.pull.keys()]).toEqual(['c5']);
    expect(view.missing).toEqual(['The primary c4 does not answer: does it run?']);
  });

  it('may be empty', async () => {
    const { missing } = await temporalView(contextWith({}), {});
    expect(missing).toEqual(['The roster does not answer: does a federator run?']);
    const error = new FederationError('TEMPORAL_UNAVAILABLE', { detail: 'No Temporal server answers at x.' });
    const away = await temporalView({ temporal: () => Promise.reject(error) } as unknown as Context, {
      pushing: ['c1'],
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
