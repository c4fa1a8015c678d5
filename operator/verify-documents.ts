import { listGenerations } from '../activities/read-generations';
import { mapConcurrently } from '../concurrency/map-concurrently';
import { wayOut } from '../federation/damaged-generation';
import { type DocumentAt, examineDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { parseRunKey, runsPrefix } from '../federation/layout';
import type { BucketReader } from '../storage/bucket';
import type { Finding } from './finding';
import { describeMissing, type Newest, putBack } from './newest-generation';

/** A document to check, and what to say if it is damaged. */
interface Checked extends Pick<Finding, 'about' | 'todo'> {
  readonly document: DocumentAt<unknown>;
  /** True if the document must exist. */
  readonly required?: true;
}

/** Number of documents to read at once. It is low because a generation with many windows takes up megabytes. */
const concurrency = 4;

/**
 * Reads the documents that `verifyGeneration` does not read, and reports those that are damaged: federation.json,
 * generations, the records of the clean-up and of the last full listing, and the requests and reports of runs.
 */
export async function verifyDocuments(bucket: BucketReader, newest: Newest): Promise<Finding[]> {
  const checked: Checked[] = [
    {
      about: 'federation',
      document: documents.federation.at(),
      required: true,
      todo: 'The next commit writes it again.',
    },
    ...(await generationsToCheck(bucket, newest)),
    {
      about: 'clean-up',
      document: documents.unreferenced.at(),
      todo: 'The next federation writes it again; what it waits to delete is kept a day longer.',
    },
    {
      about: 'last full listing',
      document: documents.fullListing.at(),
      todo: 'The next federation lists the whole bucket and writes it again.',
    },
    ...(await runsToCheck(bucket)),
  ];
  const findings = await mapConcurrently(
    checked,
    concurrency,
    async ({ about, todo, document, required }) => {
      const { value, damage } = await examineDocument(bucket, document);
      if (damage !== undefined) return [{ about, ...damage, todo }];
      const isMissing = required === true && value === undefined;
      return isMissing ? [{ about, key: document.key, detail: 'It is missing.', todo }] : [];
    },
  );
  return [...missingGeneration(newest), ...findings.flat()];
}

function missingGeneration({ missing }: Newest): Finding[] {
  if (missing === undefined) return [];
  const { key } = documents.generation.at(missing);
  return [{ about: `generation ${missing}`, key, detail: describeMissing(missing), todo: putBack }];
}

async function generationsToCheck(bucket: BucketReader, newest: Newest): Promise<Checked[]> {
  const listed = (await listGenerations(bucket)).reverse();
  const readable = newest.generation?.generation ?? 0;
  return listed
    .filter(({ generation }) => generation !== readable)
    .map(({ generation }) => {
      const document = documents.generation.at(generation);
      const todo =
        generation > readable
          ? wayOut(newest)
          : `Newer generations are not affected. The clean-up deletes nothing while it cannot be read: put ${document.key} back from the store’s older versions, or delete it.`;
      return { about: `generation ${generation}`, document, todo };
    });
}

async function runsToCheck(bucket: BucketReader): Promise<Checked[]> {
  const checked: Checked[] = [];
  for await (const entry of bucket.list(runsPrefix, { delimiter: '/' })) {
    const run = entry.kind === 'prefix' ? parseRunKey(entry.prefix)?.run : undefined;
    if (run === undefined) continue;
    const todo = 'No other run needs it; the clean-up deletes it 30 days after the run.';
    for (const document of [documents.runRequest.at(run), documents.runReport.at(run)])
      checked.push({ about: run, document, todo });
  }
  return checked;
}
