import { replaceDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import {
  combinedEtlKey,
  combinedEtlPrefix,
  generationKey,
  objectKey,
  provenanceKey,
  publishedKey,
} from '../../federation/layout';
import { verifyNewest } from '../../operator/verify';
import type { Bucket, BucketReader } from '../../storage/bucket';
import { readAll } from '../../storage/read-all';
import { reportOf } from '../federation/made-up';
import {
  firstDay,
  goldenSource,
  overriding,
  renamedSource,
  secondDay,
  smallBucket,
  snapshot,
  sourceKey,
  TestFederator,
  testMergeThreads,
} from './federated-bucket';

const threads = testMergeThreads();

async function expectInLine(federator: TestFederator): Promise<void> {
  const { windows } = await federator.newest();
  const published = Object.keys(await snapshot(federator.bucket, combinedEtlPrefix));
  expect(published).toEqual(Object.keys(windows).map((window) => combinedEtlKey(window as typeof firstDay)));
  for (const window of Object.keys(windows)) {
    const { bytes } = await readAll(federator.bucket, combinedEtlKey(window as typeof firstDay));
    expect(bytes.equals(await federator.merged(window))).toBe(true);
  }
}

test('nothing is published before the first generation', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  expect(await federator.publish()).toEqual({ generation: 0, copied: 0, deleted: 0, unchanged: 0 });
  expect(await snapshot(federator.bucket, publishedKey)).toEqual({});
});

test('only changed windows are copied', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const { run } = await federator.prepare();
  await federator.commit(run);
  expect(await federator.publish()).toEqual({ generation: 1, copied: 3, deleted: 0, unchanged: 0 });
  expect(await federator.publish()).toEqual({ generation: 1, copied: 0, deleted: 0, unchanged: 3 });
});

test('published files that were modified or deleted are repaired, even without a new generation', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await federator.federate();
  await federator.bucket.put(combinedEtlKey(firstDay), Buffer.from('not ours'));
  await federator.bucket.delete(combinedEtlKey(secondDay));
  expect(await federator.publish()).toMatchObject({ copied: 2, unchanged: 1 });
  await expectInLine(federator);
});

test('a crash in the middle is repaired', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const { bucket } = federator;
  await federator.federate();
  await bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
  await bucket.put(sourceKey('cluster-1', secondDay), goldenSource('cluster-1', secondDay));
  const { run } = await federator.prepare();
  await federator.commit(run);
  let copies = 0;
  const dying = overriding(bucket, {
    copy: async (from, to, options) => {
      if (++copies === 2) throw new TypeError('killed');
      return bucket.copy(from, to, options);
    },
  });
  await expect(new TestFederator(dying, threads).publish()).rejects.toThrow('killed');
  expect(await federator.publish()).toMatchObject({ generation: 2, copied: 2 });
  await expectInLine(federator);
});

test('files copied by a run that died are recognized as ours', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const { bucket } = federator;
  const { run } = await federator.prepare();
  await federator.commit(run);
  const dying = overriding(bucket, {
    put: async (key, body, options) => {
      const written = await bucket.put(key, body, options);
      // Crash in the middle of publishing: fail when `publishedKey` is written after files have been copied.
      if (key === publishedKey && Object.keys(await snapshot(bucket, combinedEtlPrefix)).length > 0) {
        throw new TypeError('killed');
      }
      return written;
    },
  });
  await expect(new TestFederator(dying, threads).publish()).rejects.toThrow('killed');
  const published = JSON.parse((await readAll(bucket, publishedKey)).bytes.toString()) as { windows: object };
  expect(Object.keys(published.windows)).toHaveLength(3);
  await federator.publish();
  await expectInLine(federator);
});

test('files named by an earlier generation are deleted, foreign ones are left', async () => {
  const bucket = smallBucket();
  const federator = new TestFederator(bucket, threads);
  const lone = 'allocations/1d/1794873600-1794960000';
  await bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
  await federator.federate();
  const foreign = `${combinedEtlPrefix}${lone}`;
  await bucket.put(foreign, Buffer.from('somebody else’s'));
  // Exclude clusters 1 to 4 here and cluster-5 below, so that the first day has no source. The only remaining source is
  // the file of the new cluster-6 for the second day.
  for (const cluster of ['cluster-1', 'cluster-2', 'cluster-3', 'cluster-4']) {
    federator.exclusions[cluster] = { reason: '', at: '2026-11-20T00:00:00Z' };
  }
  await bucket.delete(sourceKey('cluster-5', firstDay));
  federator.exclusions['cluster-5'] = { reason: '', at: '2026-11-20T00:00:00Z' };
  await bucket.put(sourceKey('cluster-6', secondDay), renamedSource('cluster-5', secondDay, 'cluster-6'));
  const { commit } = await federator.federate();
  expect(commit).toMatchObject({ status: 'committed', windows: 1, removed: 2 });
  expect(Object.keys(await snapshot(bucket, combinedEtlPrefix))).toEqual([
    combinedEtlKey(secondDay),
    foreign,
  ]);
});

test('it finishes only if what it published is still the newest', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  const { bucket } = federator;
  await federator.federate();
  await bucket.put(sourceKey('cluster-1', firstDay), goldenSource('cluster-1', firstDay));
  const { run } = await federator.prepare();
  await federator.commit(run);
  let overtaken = false;
  const racing = overriding(bucket, {
    copy: async (from, to, options) => {
      const copied = await bucket.copy(from, to, options);
      if (!overtaken) {
        overtaken = true;
        await bucket.put(sourceKey('cluster-2', secondDay), goldenSource('cluster-2', secondDay));
        const next = await federator.prepare();
        await federator.commit(next.run);
      }
      return copied;
    },
  });
  expect(await new TestFederator(racing, threads).publish()).toMatchObject({ generation: 3, copied: 2 });
  await expectInLine(federator);
});

test('a missing merged object is reported, and what was published stays', async () => {
  const federator = new TestFederator(smallBucket(), threads);
  await federator.federate();
  const { windows } = await federator.newest();
  await federator.bucket.delete(objectKey(windows[firstDay]?.fingerprint ?? ''));
  await federator.bucket.delete(combinedEtlKey(firstDay));
  await expect(federator.publish()).rejects.toMatchObject({ code: 'GENERATION_UNREADABLE' });
  expect(await federator.bucket.head(combinedEtlKey(secondDay))).toBeDefined();
});

describe('verifying while federations go on', () => {
  const verify = (bucket: BucketReader, deep = false) =>
    verifyNewest(bucket, { deep, progress: () => undefined });

  /** Commits two windows that also contain the new cluster-6, but does not publish them. Returns the id of the run. */
  async function commitTwo(federator: TestFederator): Promise<string> {
    for (const window of [firstDay, secondDay])
      await federator.bucket.put(
        sourceKey('cluster-6', window),
        renamedSource('cluster-5', window, 'cluster-6'),
      );
    const { run } = await federator.prepare();
    await federator.commit(run);
    return run;
  }

  /** Returns a bucket that calls `work` once, right before a published file is read for the first time. */
  function interrupted(bucket: Bucket, work: () => Promise<unknown>): Bucket {
    let done: Promise<unknown> | undefined;
    return overriding(bucket, {
      get: async (key, options) => {
        if (key.startsWith(combinedEtlPrefix)) await (done ??= work());
        return bucket.get(key, options);
      },
    });
  }

  test.each([false, true])(
    'a commit that is published and cleaned up meanwhile is no damage (deep: %s)',
    async (deep) => {
      const federator = new TestFederator(smallBucket(), threads);
      const { bucket } = federator;
      await federator.federate();
      const before = await federator.newest();
      const meanwhile = interrupted(bucket, async () => {
        await commitTwo(federator);
        await federator.publish();
        await bucket.delete(generationKey(1));
        for (const window of [firstDay, secondDay]) {
          const { fingerprint = '' } = before.windows[window] ?? {};
          for (const key of [objectKey(fingerprint), provenanceKey(fingerprint)]) await bucket.delete(key);
        }
      });
      expect(await verify(meanwhile, deep)).toMatchObject({
        generation: 1,
        windows: 3,
        newer: { generation: 2, windows: 2 },
        unpublished: 0,
        findings: [],
      });
    },
  );

  test('damage is found although a generation is committed and published meanwhile', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    const { bucket } = federator;
    await federator.federate();
    const [third = '', shared] = Object.entries((await federator.newest()).windows).at(-1) ?? [];
    await bucket.put(objectKey(shared?.fingerprint ?? ''), Buffer.from('damaged'));
    const meanwhile = interrupted(bucket, async () => {
      await commitTwo(federator);
      await federator.publish();
      await bucket.put(combinedEtlKey(firstDay), Buffer.from('damaged, too'));
    });
    const { newer, findings } = (await verify(meanwhile)) ?? { findings: [] };
    expect(newer?.generation).toBe(2);
    expect(findings.map(({ about }) => about).sort()).toEqual([firstDay, third]);
  });

  test('a publishing that goes on, or died, is no damage until its run has ended', async () => {
    const federator = new TestFederator(smallBucket(), threads);
    const { bucket } = federator;
    await federator.federate();
    const run = await commitTwo(federator);
    let copies = 0;
    const dying = overriding(bucket, {
      copy: async (from, to, options) => {
        if (++copies > 1) throw new TypeError('killed');
        return bucket.copy(from, to, options);
      },
    });
    await expect(new TestFederator(dying, threads).publish()).rejects.toThrow('killed');
    expect(await verify(bucket)).toMatchObject({ generation: 2, windows: 3, unpublished: 1, findings: [] });

    await bucket.put(combinedEtlKey(secondDay), Buffer.from('not ours'));
    expect((await verify(bucket))?.findings).toMatchObject([{ about: secondDay }]);
    await bucket.delete(combinedEtlKey(secondDay));
    expect((await verify(bucket))?.findings).toMatchObject([{ about: secondDay, detail: 'It is missing.' }]);

    const at = '2026-11-20T00:00:00.000Z';
    const report = reportOf(run, { startedAt: at, endedAt: at, generation: 2 });
    await replaceDocument(bucket, documents.runReport.at(run), report);
    expect((await verify(bucket))?.findings.map(({ about }) => about)).toEqual(['published', secondDay]);
    await federator.publish();
    expect(await verify(bucket)).toMatchObject({ unpublished: 0, findings: [] });
  });
});
