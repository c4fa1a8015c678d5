import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type ReplayResult, Runtime, Worker } from '@temporalio/worker';
import { workflowBundle } from '../../workers/workflow-bundle';
import { searchAttributes } from '../../workflows/search-attributes';
import { historyFromJson } from './history-json';
import { largestPayload, mostPayloadBytes } from './largest-payload';

const root = resolve(__dirname, '../..');
const folder = join(root, 'test', 'histories');
const recorded = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));
const logger = new DefaultLogger('ERROR', () => undefined);

const textOf = (name: string) => readFileSync(join(folder, `${name}.json`), 'utf8');
const historyOf = (name: string) => historyFromJson(textOf(name));

beforeAll(() => {
  // Turn off the worker's log: the test itself reports histories that cannot be replayed.
  Runtime.install({
    logger,
    telemetryOptions: { logging: { filter: 'OFF', forward: {} } },
  });
});

afterAll(() => Runtime.instance().shutdown());

async function replay(bundle: Awaited<ReturnType<typeof workflowBundle>>, histories: readonly string[]) {
  const results = new Map<string, ReplayResult>();
  for (const name of histories) {
    const history = historyOf(name);
    // Replay with the workflow id from the recording. The ids of child workflows are derived from it, and must match
    // the recording too.
    const workflowId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? name;
    const all = Worker.runReplayHistories({ workflowBundle: bundle }, [{ workflowId, history }]);
    for await (const result of all) results.set(name, result);
  }
  return results;
}

describe('a recorded history', () => {
  it('exists for every workflow, and for each outcome of a federation', () => {
    expect(recorded).toEqual(
      expect.arrayContaining([
        'commit',
        'federate-on-push',
        'federation-cancelled',
        'federation-failed',
        'federation-lanes',
        'federation-replanned',
        'merge-windows',
        'pull',
        'push',
        'roster',
      ]),
    );
  });

  it('is replayed by the current workflows', async () => {
    const results = await replay(await workflowBundle(), recorded);
    expect([...results].filter(([, { error }]) => error !== undefined)).toEqual([]);
    expect([...results.keys()].sort()).toEqual([...recorded].sort());
  });

  it('is not replayed by workflows whose decisions were changed', async () => {
    const altered = await bundleWorkflowCode({ workflowsPath: require.resolve('./altered'), logger });
    const results = await replay(altered, ['push', 'roster', 'commit']);
    for (const name of ['push', 'roster', 'commit']) {
      expect(`${name}: ${results.get(name)?.error?.name}`).toBe(`${name}: DeterminismViolationError`);
    }
  });

  it('sets only the search attributes that there are now', () => {
    const set = recorded.flatMap((name) =>
      (historyOf(name).events ?? []).flatMap(({ upsertWorkflowSearchAttributesEventAttributes: upsert }) =>
        Object.keys(upsert?.searchAttributes?.indexedFields ?? {}),
      ),
    );
    const known = [searchAttributes.outcome, searchAttributes.generation, searchAttributes.clusters];
    expect(new Set(set)).toEqual(new Set(known.map(({ name }) => name)));
  });

  it.each(recorded)('has small payloads, is small itself, and reveals nothing of a machine: %s', (name) => {
    const text = textOf(name);
    expect(text.length).toBeLessThan(200_000);
    const { bytes, at } = largestPayload(historyOf(name));
    expect(bytes).toBeGreaterThan(0);
    expect(bytes < mostPayloadBytes ? 'small' : `${bytes} bytes at ${at}`).toBe('small');
    const payloads = [...text.matchAll(/"data": "([^"]*)"/g)].map(([, data = '']) =>
      Buffer.from(data, 'base64').toString(),
    );
    for (const recorded of [text, ...payloads]) {
      for (const ofMachine of [root, hostname(), '/tmp/', '/home/', '/Users/', '/var/']) {
        expect(recorded.includes(ofMachine) ? ofMachine : '').toBe('');
      }
    }
  });
});
