import { Registry } from 'prom-client';
import { replaceDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import type { Generation } from '../../federation/generation';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { Readiness } from '../../workers/health';
import { lastEnds } from '../../workers/last-federations';
import { registerRoleMetrics } from '../../workers/metrics';
import { newestGenerationIn } from '../../workers/newest-generation';
import { overriding } from '../activities/federated-bucket';
import { generation, membership } from '../federation/made-up';
import { temporaryFolder } from '../storage/temporary-folder';

const hold = { generation: 1, by: 'ann@host', reason: '', at: '2026-11-20T12:00:00Z' };

describe('The last federations', () => {
  it('are the newest of each outcome; one that died counts as failed', () => {
    const at = (minute: number) => `2026-11-20T10:0${minute}:00.000Z`;
    const ends = lastEnds([
      { outcome: 'running' },
      { outcome: 'died', endedAt: at(5) },
      { outcome: 'failed', endedAt: at(4) },
      { outcome: 'complete', endedAt: at(2) },
      { outcome: 'complete', endedAt: at(3) },
      { outcome: 'unknown', endedAt: at(6) },
    ]);
    expect(ends).toEqual(
      new Map([
        ['failed', Date.parse(at(5))],
        ['complete', Date.parse(at(3))],
      ]),
    );
  });
});

test('the metrics show a hold that another process put on the federation, and its end', async () => {
  const folder = openFilesystem({ directory: temporaryFolder() });
  const read: string[] = [];
  const bucket = overriding(folder, {
    get: (key, options) => {
      read.push(key);
      return folder.get(key, options);
    },
  });
  const commit = (number: number, more: Partial<Generation>) =>
    replaceDocument(
      folder,
      documents.generation.at(number),
      generation({}, membership(['a', 'b']), { generation: number, ...more }),
    );
  const registry = new Registry();
  const roles = { federatedCluster: false, federator: true, primaryCluster: false };
  const metrics = registerRoleMetrics(registry, new Readiness(roles));
  const look = newestGenerationIn(bucket);
  const shown = async () => {
    const newest = await look();
    if (newest !== undefined) metrics.generationFound(newest);
    const text = await registry.metrics();
    return [...text.matchAll(/^federated_etl_(on_hold|generation|generation_clusters) (\d+)$/gm)].map(
      ([, name, value]) => `${name} ${value}`,
    );
  };
  expect(await shown()).toEqual([]);
  await commit(2, { hold });
  const held = ['generation 2', 'generation_clusters 2', 'on_hold 1'];
  expect(await shown()).toEqual(held);
  // The generation is not read again, because no newer one has been committed.
  expect(await shown()).toEqual(held);
  expect(read).toEqual([documents.generation.at(2).key]);
  await commit(3, {});
  expect(await shown()).toEqual(['generation 3', 'generation_clusters 2', 'on_hold 0']);
});
