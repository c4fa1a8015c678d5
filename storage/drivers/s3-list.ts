import type { _Object, S3 } from '@aws-sdk/client-s3';
import type { ListEntry, ListOptions, Version } from '../bucket';
import { entriesOf, type ListPage } from '../list-page';
import { noListing } from '../store-failure';

interface Page {
  readonly Contents?: _Object[];
  readonly CommonPrefixes?: { Prefix?: string }[];
  readonly EncodingType?: string;
  readonly IsTruncated?: boolean;
  readonly Name?: string;
}

/**
 * Yields the objects and folders of a listing in byte order, requesting one page at a time. Uses version 1 of the list
 * API if `version1` is set, otherwise version 2. Skips invalid keys.
 */
export async function* listPages(
  client: S3,
  request: { readonly bucket: string; readonly prefix: string; readonly version1: boolean },
  options: ListOptions,
): AsyncGenerator<ListEntry> {
  const pages = request.version1 ? pages1(client, request, options) : pages2(client, request, options);
  for await (const page of pages) {
    if (page.IsTruncated === undefined && page.Name === undefined) throw noListing(request.prefix);
    yield* entriesOf(decodedPage(page), options.after);
  }
}

async function* pages2(
  client: S3,
  request: { bucket: string; prefix: string },
  options: ListOptions,
): AsyncGenerator<Page> {
  for (let token: string | undefined; ;) {
    options.onPage?.();
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
    options.onPage?.();
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
    // The store sends NextMarker only if the request has a delimiter. Otherwise, the next page starts after the last
    // key of this page.
    marker = decoded(page, page.NextMarker ?? page.Contents?.at(-1)?.Key ?? '');
    if (marker === '') return;
  }
}

function decodedPage(page: Page): ListPage {
  return {
    objects: (page.Contents ?? []).map(({ Key = '', Size = 0, LastModified = new Date(0), ETag = '' }) => ({
      key: decoded(page, Key),
      size: Size,
      modified: LastModified,
      version: ETag as Version,
    })),
    prefixes: (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => decoded(page, Prefix)),
  };
}

/**
 * Decodes a key or prefix from a listing. The requests ask for URL-encoded names, because XML cannot represent all
 * characters. Without the encoding, a single unusual key would make the whole listing unreadable.
 */
function decoded(page: Page, text: string): string {
  if (page.EncodingType !== 'url') return text;
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'));
  } catch {
    return text;
  }
}
