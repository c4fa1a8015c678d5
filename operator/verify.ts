import { discoverClusters, listWindowFiles } from '../activities/survey-clusters';
import { isWindowId } from '../etl/window';
import { newestNumber } from '../federation/damaged-generation';
import type { Generation } from '../federation/generation';
import { publishedKey } from '../federation/layout';
import type { BucketReader } from '../storage/bucket';
import { findNewest, type Newest } from './newest-generation';
import { verifyDocuments } from './verify-documents';
import { type Verification, verifyGeneration } from './verify-generation';

export interface VerifyNewestOptions {
  /**
   * Whether to also repeat the merges whose sources have not changed, and compare the results with the merged objects.
   */
  readonly deep: boolean;
  /** Called after each window has been checked for the first time. `of` is the number of windows to check. */
  readonly progress: (generation: number, done: number, of: number) => void;
}

/** Result of `verifyNewest`. `verify --json` prints exactly this. */
export interface NewestVerification extends Verification {
  /**
   * A generation that was committed during the verification. `windows` is the number of windows that differed from the
   * verified generation and were checked against this one instead.
   */
  readonly newer?: { readonly generation: number; readonly windows: number };
}

/**
 * Verifies the newest generation that can be read, and the other documents in the bucket. Returns undefined if nothing
 * has been committed yet.
 *
 * Runs may commit, publish and clean up during the verification. So everything that differs is checked again,
 * against the generation that is then the newest. This is repeated until nothing differs, or nothing has been committed
 * or published since the previous check.
 */
export async function verifyNewest(
  bucket: BucketReader,
  { deep, progress }: VerifyNewestOptions,
): Promise<NewestVerification | undefined> {
  const verify = async (generation: Generation, only?: ReadonlySet<string>) =>
    verifyGeneration(bucket, generation, {
      ...(deep && { deep: await listWindowFiles(bucket, await discoverClusters(bucket)) }),
      ...(only === undefined
        ? { onProgress: (done: number, of: number) => progress(generation.generation, done, of) }
        : { only }),
    });
  let at = await look(bucket);
  if (at.newest.generation === undefined && at.newest.damage.length === 0) return undefined;
  let documents = await verifyDocuments(bucket, at.newest);
  if (at.newest.generation === undefined) return { ...nothingVerified, findings: documents };
  const first = await verify(at.newest.generation);
  let last = first;
  const checkedAgain = new Set<string>();
  while (documents.length + last.findings.length > 0) {
    const now = await look(bucket);
    const { generation } = now.newest;
    if (now.state === at.state || generation === undefined) break;
    at = now;
    documents = await verifyDocuments(bucket, now.newest);
    const differing = new Set(last.findings.map(({ about }) => about).filter(isWindowId));
    for (const id of differing) checkedAgain.add(id);
    last = await verify(generation, differing);
  }
  const { generation, unpublished, findings } = last;
  return {
    ...first,
    ...(generation !== first.generation && { newer: { generation, windows: checkedAgain.size } }),
    unpublished,
    findings: [...documents, ...findings],
  };
}

/** Returns the newest generation, and a text that changes whenever a generation is committed or published. */
async function look(bucket: BucketReader): Promise<{ newest: Newest; state: string }> {
  const published = await bucket.head(publishedKey);
  const newest = await findNewest(bucket);
  return { newest, state: `${newestNumber(newest)} ${published?.version}` };
}

const nothingVerified = {
  generation: null,
  windows: 0,
  remerged: 0,
  changedSince: 0,
  unnamed: 0,
  unpublished: 0,
};
