import type { _Object, S3 } from '@aws-sdk/client-s3';
import { FederationError } from '../../errors/federation-error';
import type { ListEntry, ListOptions, Version } from '../bucket';
import { keyFault } from '../check-key';

interface Page {
  readonly Contents?: _Object[];
  readonly CommonPrefixes?: { Prefix?: string }[];
  readonly EncodingType?: string;
  readonly IsTruncated?: boolean;
  readonly Name?: string;
}

type Sorted = { readonly entry: ListEntry; readonly bytes: Buffer };

/** The pages of a listing, either way, in the order of bytes; names that are no keys of ours are passed over. */
export async function* listPages(
  client: S3,
  request: { readonly bucket: string; readonly prefix: string; readonly version1: boolean },
  options: ListOptions,
): AsyncGenerator<ListEntry> {
  const after = options.after === undefined ? undefined : Buffer.from(options.after);
  for await (const page of request.version1
    ? pages1(client, request, options)
    : pages2(client, request, options)) {
    checkAnswer(request.prefix, page);
    const sorted = entriesOf(page).sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    for (const { entry, bytes } of sorted) {
      // A prefix that is not behind `after` is given out by stores when some of its keys are.
      if (after === undefined || Buffer.compare(bytes, after) > 0) yield entry;
    }
  }
}

async function* pages2(
  client: S3,
  request: { bucket: string; prefix: string },
  options: ListOptions,
): AsyncGenerator<Page> {
  for (let token: string | undefined; ;) {
    const page = await client.listObjectsV2(
      {
        Bucket: request.bucket,
        Prefix: request.prefix,
        Delimiter: options.delimiter,
        StartAfter: token === undefined ? options.after || undefined : undefined,
        ContinuationToken: token,
        EncodingType: 'url',
      },
      { abortSignal: options.signal },
    );
    yield page;
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
    if (token === undefined) return;
  }
}

async function* pages1(
  client: S3,
  request: { bucket: string; prefix: string },
  options: ListOptions,
): AsyncGenerator<Page> {
  for (let marker = options.after; ;) {
    const page = await client.listObjects(
      {
        Bucket: request.bucket,
        Prefix: request.prefix,
        Delimiter: options.delimiter,
        Marker: marker || undefined,
        EncodingType: 'url',
      },
      { abortSignal: options.signal },
    );
    yield page;
    if (!page.IsTruncated) return;
    // Stores say where to go on only if there is a delimiter.
    marker = decoded(page, page.NextMarker ?? page.Contents?.at(-1)?.Key ?? '');
    if (marker === '') return;
  }
}

/** Whoever answers 200 with a page of his own, a proxy say, must not be taken for a bucket without objects. */
function checkAnswer(prefix: string, page: Page): void {
  if (page.IsTruncated !== undefined || page.Name !== undefined) return;
  throw new FederationError('STORAGE_UNAVAILABLE', {
    subject: { key: prefix },
    detail:
      'A listing was asked for, and what came was none: is something else answering in place of the store?',
  });
}

function entriesOf(page: Page): Sorted[] {
  const objects = (page.Contents ?? []).flatMap((object) => {
    const key = decoded(page, object.Key ?? '');
    if (keyFault(key) !== undefined) return [];
    const version = (object.ETag ?? '') as Version;
    const info = { key, size: object.Size ?? 0, modified: object.LastModified ?? new Date(0), version };
    return [{ entry: { kind: 'object', ...info } as const, bytes: Buffer.from(key) }];
  });
  const prefixes = (page.CommonPrefixes ?? []).flatMap((common) => {
    const prefix = decoded(page, common.Prefix ?? '');
    if (keyFault(prefix.slice(0, -1)) !== undefined) return [];
    return [{ entry: { kind: 'prefix', prefix } as const, bytes: Buffer.from(prefix) }];
  });
  return [...objects, ...prefixes];
}

/** Names are asked for encoded, as XML cannot hold all of them: one strange key would break the whole listing. */
function decoded(page: Page, text: string): string {
  if (page.EncodingType !== 'url') return text;
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'));
  } catch {
    return text;
  }
}
