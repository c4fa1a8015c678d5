import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FederatedStore } from '../../storage/federated-store';
import type { ProbeOperation } from '../../storage/probe-bucket';

type Permissions = Readonly<Record<ProbeOperation, readonly string[]>>;

const s3: Permissions = {
  list: ['s3:ListBucket'],
  write: ['s3:PutObject'],
  replace: ['s3:PutObject'],
  head: ['s3:GetObject'],
  read: ['s3:GetObject'],
  copy: ['s3:GetObject', 's3:PutObject'],
  delete: ['s3:DeleteObject'],
  'conditional create': ['s3:PutObject', 's3:DeleteObject'],
};

/**
 * Permissions in Google Cloud Storage. Replacing an object there also requires the permission to delete the old object.
 */
const gcs: Permissions = {
  list: ['storage.objects.list'],
  write: ['storage.objects.create'],
  replace: ['storage.objects.create', 'storage.objects.delete'],
  head: ['storage.objects.get'],
  read: ['storage.objects.get'],
  copy: ['storage.objects.get', 'storage.objects.create'],
  delete: ['storage.objects.delete'],
  'conditional create': ['storage.objects.create', 'storage.objects.delete'],
};

const azureBlobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';
const azure: Permissions = {
  list: [`${azureBlobs}/read`],
  write: [`${azureBlobs}/write`],
  replace: [`${azureBlobs}/write`],
  head: [`${azureBlobs}/read`],
  read: [`${azureBlobs}/read`],
  copy: [`${azureBlobs}/read`, `${azureBlobs}/write`],
  delete: [`${azureBlobs}/delete`],
  'conditional create': [`${azureBlobs}/write`, `${azureBlobs}/delete`],
};

/** Describes the permissions that an operation below a prefix needs, using the store's own names for them. */
export async function permissionFor(
  store: FederatedStore,
  operation: ProbeOperation,
  prefix: string,
): Promise<string> {
  const below = store.prefix === '' ? prefix : `${store.prefix}/${prefix}`;
  switch (store.type) {
    case 'S3': {
      const bucket = `arn:${partition(store.config)}:s3:::${store.config.bucket}`;
      const kms =
        store.config.sse_config.type === 'SSE-KMS' && operation !== 'list' && operation !== 'delete'
          ? `, and kms:GenerateDataKey and kms:Decrypt on the key ${store.config.sse_config.kms_key_id}`
          : '';
      const where = operation === 'list' ? `${bucket} (with s3:prefix ${below}*)` : `${bucket}/${below}*`;
      return `Allow ${s3[operation].join(' and ')} on ${where}${kms}.`;
    }
    case 'GCS':
      return (
        `Grant ${gcs[operation].join(' and ')} on projects/_/buckets/${store.config.bucket}, for objects that begin with ` +
        `${below}. The role roles/storage.objectUser has them.`
      );
    case 'AZURE':
      return (
        `Grant ${azure[operation].join(' and ')} on the container ${store.config.container}, for blobs that begin with ` +
        `${below}. The role Storage Blob Data Contributor has them; a SAS needs r, w, d and l.`
      );
    case 'FILESYSTEM':
      return folderAccess(join(store.config.directory, below));
  }
}

function partition({ endpoint, region }: { endpoint: string; region: string }): string {
  if (endpoint.endsWith('.amazonaws.com.cn') || region.startsWith('cn-')) return 'aws-cn';
  return /(^|\.)us-gov-/.test(endpoint) || region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

/**
 * Describes the access that has to be granted to a folder. If the folder does not exist, describes the access to its
 * nearest existing ancestor.
 */
async function folderAccess(folder: string): Promise<string> {
  for (let path = folder; ; path = dirname(path)) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined && path !== dirname(path)) continue;
    const who = process.getuid === undefined ? 'this process' : `user ${process.getuid()}`;
    const is =
      found === undefined ? '' : ` (${found.isDirectory() ? '' : 'not a folder, '}${ownerOf(found)})`;
    return `Give ${who} read, write and search access to ${path}${is}.`;
  }
}

function ownerOf({ uid, gid, mode }: { uid: number; gid: number; mode: number }): string {
  return `owner ${uid}:${gid}, mode ${(mode & 0o7777).toString(8).padStart(4, '0')}`;
}
