import type { ContainerClient } from '@azure/storage-blob' with { 'resolution-mode': 'import' };
import type { ListEntry, ListOptions, ObjectInfo } from '../bucket';
import { entriesOf } from '../list-page';
import { noListing } from '../store-failure';
import { versionOf } from './azure-answers';

const pageSize = 1_000;

interface Blob {
  readonly name: string;
  readonly properties: {
    readonly contentLength?: number;
    readonly etag: string;
    readonly lastModified: Date;
  };
}
interface Page {
  readonly continuationToken?: string;
  readonly containerName?: string;
  readonly segment?: { readonly blobItems?: Blob[]; readonly blobPrefixes?: { readonly name: string }[] };
}

/** Yields the objects and folders of a listing in byte order, requesting one page at a time. Skips invalid keys. */
export async function* listPages(
  container: ContainerClient,
  prefix: string,
  { after, delimiter, signal, onPage }: ListOptions,
): AsyncGenerator<ListEntry> {
  const request = {
    prefix,
    abortSignal: signal,
    ...(after !== undefined && after > prefix && { startFrom: after }),
  };
  const listing =
    delimiter === undefined
      ? container.listBlobsFlat(request)
      : container.listBlobsByHierarchy(delimiter, request);
  onPage?.();
  for await (const page of listing.byPage({ maxPageSize: pageSize }) as AsyncIterable<Page>) {
    const { containerName, segment } = page;
    if (containerName === undefined || containerName === '' || segment === undefined) throw noListing(prefix);
    const { blobItems = [], blobPrefixes = [] } = segment;
    yield* entriesOf(
      { objects: blobItems.map(infoOf), prefixes: blobPrefixes.map(({ name }) => name) },
      after,
    );
    if (page.continuationToken) onPage?.();
  }
}

function infoOf({ name: key, properties }: Blob): ObjectInfo {
  const { contentLength: size = 0, etag, lastModified: modified } = properties;
  return { key, size, modified, version: versionOf(etag) };
}
