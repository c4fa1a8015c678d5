import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { FederationError } from '../../errors/federation-error';
import { ownValue } from '../../etl/own-value';
import { readSettingFile } from '../setting-file';
import type { S3Config } from './s3-config';

type Headers = Pick<
  PutObjectCommandInput,
  | 'ACL'
  | 'StorageClass'
  | 'Tagging'
  | 'GrantFullControl'
  | 'GrantRead'
  | 'GrantReadACP'
  | 'GrantWriteACP'
  | 'CacheControl'
  | 'ContentType'
  | 'ContentDisposition'
  | 'ContentLanguage'
>;

// Thanos and Kubecost accept these HTTP headers in the setting `put_user_metadata`. If they were sent as metadata
// instead of headers, they would silently have no effect.
const headerNames: Record<string, keyof Headers> = {
  'x-amz-acl': 'ACL',
  'x-amz-storage-class': 'StorageClass',
  'x-amz-tagging': 'Tagging',
  'x-amz-grant-full-control': 'GrantFullControl',
  'x-amz-grant-read': 'GrantRead',
  'x-amz-grant-read-acp': 'GrantReadACP',
  'x-amz-grant-write-acp': 'GrantWriteACP',
  'cache-control': 'CacheControl',
  'content-type': 'ContentType',
  'content-disposition': 'ContentDisposition',
  'content-language': 'ContentLanguage',
};

/**
 * Splits the setting `put_user_metadata` into HTTP headers and user metadata. The keys of `headers` are the names that
 * the SDK uses for the headers.
 */
export function userHeaders(config: S3Config): { headers: Headers; metadata: Record<string, string> } {
  const entries = Object.entries(config.put_user_metadata).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  const headers = entries.flatMap(([name, value]) => {
    const header = ownValue(headerNames, name);
    return header === undefined ? [] : [[header, value] as const];
  });
  const metadata = entries.filter(([name]) => ownValue(headerNames, name) === undefined);
  return {
    headers: Object.fromEntries(headers),
    metadata: Object.fromEntries(metadata.map(([name, value]) => [name.replace(/^x-amz-meta-/, ''), value])),
  };
}

/**
 * Encryption parameters for requests that write an object (`write`), read an object (`read`) or copy one
 * (`copySource`).
 */
export interface Encryption {
  readonly write: Pick<
    PutObjectCommandInput,
    | 'ServerSideEncryption'
    | 'SSEKMSKeyId'
    | 'SSEKMSEncryptionContext'
    | 'SSECustomerAlgorithm'
    | 'SSECustomerKey'
  >;
  readonly read: Pick<PutObjectCommandInput, 'SSECustomerAlgorithm' | 'SSECustomerKey'>;
  readonly copySource: { CopySourceSSECustomerAlgorithm?: string; CopySourceSSECustomerKey?: string };
}

/** Returns the encryption parameters that `sse_config` specifies. For SSE-C, reads the encryption key from its file. */
export function encryptionOf(config: S3Config): Encryption {
  const sse = config.sse_config;
  switch (sse.type) {
    case '':
      return { write: {}, read: {}, copySource: {} };
    case 'SSE-S3':
      return { write: { ServerSideEncryption: 'AES256' }, read: {}, copySource: {} };
    case 'SSE-KMS':
      return { write: kmsHeaders(sse.kms_key_id, sse.kms_encryption_context), read: {}, copySource: {} };
    case 'SSE-C': {
      const key = customerKey(sse.encryption_key);
      const read = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key };
      const copySource = { CopySourceSSECustomerAlgorithm: 'AES256', CopySourceSSECustomerKey: key };
      return { write: read, read, copySource };
    }
  }
}

function kmsHeaders(keyId: string, context: Record<string, string>): Encryption['write'] {
  const hasContext = Object.keys(context).length > 0;
  return {
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: keyId,
    ...(hasContext && { SSEKMSEncryptionContext: Buffer.from(JSON.stringify(context)).toString('base64') }),
  };
}

function customerKey(path: string): string {
  const key = readSettingFile(path, 'config.sse_config.encryption_key');
  if (key.length === 32) return key.toString('base64');
  throw new FederationError('STORE_CONFIG_INVALID', {
    subject: { setting: 'config.sse_config.encryption_key' },
    detail: `${path} has ${key.length} bytes; an SSE-C key has 32.`,
  });
}
