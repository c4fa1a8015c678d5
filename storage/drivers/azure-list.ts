import type { ContainerClient } from '@azure/storage-blob' with { 'resolution-mode': 'import' };
import { FederationError } from '../../errors/federation-error';
import type { ListEntry, ListOptions } from '../bucket';
import { keyFault } from '../check-key';
import { versionOf } from './azure-answers';

const pageSize = 1_000;

type Sorted = { readonly entry: ListEntry; readonly bytes: Buffer };
interface Blob {
  readonly name: string;
  readonly properties: {
    readonly contentLength?: number;
    readonly etag: string;
    readonly lastModified: Date;
  };
}
interface Page {
  readonly containerName?: string;
  readonly segment?: { readonly blobItems?: Blob[]; readonly blobPrefixes?: { readonly name: string }[] };
}

/** The pages of a listing in the order of bytes; names that are no keys of ours are passed over. */
export async function* listPages(
  container: ContainerClient,
  prefix: string,
  { after, delimiter, signal }: ListOptions,
): AsyncGenerator<ListEntry> {
  const behind = after === undefined ? undefined : Buffer.from(after);
  // Where the store takes no notice of it, the entries before it are passed over here.
  const request = {
    prefix,
    abortSignal: signal,
    ...(after !== undefined && after > prefix && { startFrom: after }),
  };
  const listing =
    delimiter === undefined
      ? container.listBlobsFlat(request)
      : container.listBlobsByHierarchy(delimiter, request);
  for await (const page of listing.byPage({ maxPageSize: pageSize }) as AsyncIterable<Page>) {
    const sorted = entriesOf(prefix, page).sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    for (const { entry, bytes } of sorted) {
      if (behind === undefined || Buffer.compare(bytes, behind) > 0) yield entry;
    }
  }
}

function entriesOf(prefix: string, { containerName, segment }: Page): Sorted[] {
  // Whoever answers 200 with a page of his own must not be taken for a container without blobs.
  if (containerName === undefined || containerName === '' || segment === undefined) {
    throw new FederationError('STORAGE_UNAVAILABLE', {
      subject: { key: prefix },
      detail:
        'A listing was asked for, and what came was none: is something else answering in place of the store?',
    });
  }
  const objects = (segment.blobItems ?? []).flatMap(({ name: key, properties }) => {
    if (keyFault(key) !== undefined) return [];
    const { contentLength: size = 0, etag, lastModified: modified } = properties;
    const entry = { kind: 'object', key, size, modified, version: versionOf(etag) } as const;
    return [{ entry, bytes: Buffer.from(key) }];
  });
  const prefixes = (segment.blobPrefixes ?? []).flatMap(({ name }) => {
    if (keyFault(name.slice(0, -1)) !== undefined) return [];
    return [{ entry: { kind: 'prefix', prefix: name } as const, bytes: Buffer.from(name) }];
  });
  return [...objects, ...prefixes];
}
