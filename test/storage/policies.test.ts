import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { isFederationError } from '../../errors/federation-error';
import { clusterId } from '../../etl/cluster-id';
import type { WindowId } from '../../etl/window';
import {
  backupPrefix,
  backupsPrefix,
  clusterEtlKey,
  clusterEtlPrefix,
  clusterPrefix,
  combinedEtlKey,
  combinedEtlPrefix,
  combinedPrefix,
  federatedPrefix,
  fullListingKey,
  generationKey,
  generationsPrefix,
  keptKey,
  keptPrefix,
  objectKey,
  objectsPrefix,
  probeKey,
  provenanceKey,
  publishedKey,
  runReportKey,
  runsPrefix,
  unreferencedKey,
} from '../../federation/layout';
import type { Bucket, ListEntry, ListOptions } from '../../storage/bucket';
import { probeConditionalCreate } from '../../storage/conditional-create';
import { parseFederatedStore } from '../../storage/federated-store';
import { openBucket } from '../../storage/open-bucket';
import { readAll } from '../../storage/read-all';
import { type S3User, type S3Users, startS3Users } from '../servers/s3-users';
import { describeWithS3, type S3Server, s3Settings, startS3Server } from '../servers/versitygw';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';

type Role = 'federated-cluster' | 'federator' | 'primary' | 'cluster-remover';
type Call =
  | readonly ['list' | 'head' | 'get' | 'put' | 'create' | 'delete' | 'probe', string]
  | readonly ['copy', string, string];

interface Statement {
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: { readonly StringLike: { readonly 's3:prefix': string | string[] } };
}
interface Document {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

const policies = path.join(__dirname, '../../docs/reference/policies/s3');
const own = clusterId('cluster-1');
// This id starts with the id in `own`, cluster-1. If a policy for cluster-1 omitted the slash after the id, it would
// also permit access to the objects of cluster-10.
const like = clusterId('cluster-10');
const other = clusterId('cluster-2');
const window = 'allocations/1d/1794614400-1794700800' as WindowId;
const fingerprint = 'a'.repeat(64);
const backup = (cluster: typeof own) => `${backupPrefix(cluster, '2026-11-20T12-00-00-000Z')}manifest.json`;

/** Keys of the objects that each test bucket contains at the start. */
const seeds = [
  ...[own, like, other].flatMap((cluster) => [clusterEtlKey(cluster, window), backup(cluster)]),
  ...[objectKey(fingerprint), provenanceKey(fingerprint), keptKey(other, window), combinedEtlKey(window)],
  ...[generationKey(1), runReportKey('run'), publishedKey, unreferencedKey],
];

/** Calls that the code of each role makes. The role's policy must permit them. Every call can be repeated. */
const does: Record<Role, () => readonly Call[]> = {
  'federated-cluster': () => [
    ['list', clusterEtlPrefix(own)],
    ['head', clusterEtlKey(own, window)],
    // This object does not exist. The store must report this to the role, instead of refusing the call.
    ['head', clusterEtlKey(own, 'allocations/1d/0-1')],
    ['put', clusterEtlKey(own, window)],
    ['get', clusterEtlKey(own, window)],
    ['probe', probeKey(clusterPrefix(own), randomUUID())],
  ],
  federator: () => [
    ['list', federatedPrefix],
    ...[own, other].flatMap((cluster): Call[] => [
      ['list', clusterEtlPrefix(cluster)],
      ['get', clusterEtlKey(cluster, window)],
      ['head', clusterEtlKey(cluster, 'allocations/1d/0-1')],
    ]),
    ...[generationsPrefix, objectsPrefix, keptPrefix, runsPrefix, combinedEtlPrefix].map((prefix): Call => [
      'list',
      prefix,
    ]),
    ['head', objectKey('b'.repeat(64))],
    ['create', `${generationsPrefix}${randomUUID()}`],
    ['create', `${runsPrefix}run/${randomUUID()}`],
    ['put', objectKey(fingerprint)],
    ['put', provenanceKey(fingerprint)],
    ['put', keptKey(other, window)],
    ['put', publishedKey],
    ['put', fullListingKey],
    ['put', unreferencedKey],
    ['get', generationKey(1)],
    ['copy', objectKey(fingerprint), combinedEtlKey(window)],
    ['delete', generationKey(2)],
    ['delete', objectKey('c'.repeat(64))],
    ['delete', keptKey(other, 'allocations/1d/0-1' as WindowId)],
    ['delete', combinedEtlKey('allocations/1d/0-1' as WindowId)],
    ['delete', runReportKey('older')],
    ['probe', probeKey(combinedPrefix, randomUUID())],
  ],
  primary: () => [
    ['list', generationsPrefix],
    ['get', generationKey(1)],
    ['get', provenanceKey(fingerprint)],
    ['get', objectKey(fingerprint)],
    ['list', backupsPrefix(own)],
    ['head', `${backupPrefix(own, randomUUID())}manifest.json`],
    ['put', `${backupPrefix(own, 'now')}bingen/${window}`],
    ['get', backup(own)],
    ['create', `${backupPrefix(own, randomUUID())}manifest.json`],
    // A cluster that stops being a primary restores its files from its own folder in the bucket.
    ['list', clusterEtlPrefix(own)],
    ['get', clusterEtlKey(own, window)],
    ['probe', probeKey(backupsPrefix(own), randomUUID())],
  ],
  'cluster-remover': () => [
    ['list', generationsPrefix],
    ['get', generationKey(1)],
    ['list', clusterPrefix(own)],
    ['put', probeKey(clusterPrefix(own), 'clock')],
    ['delete', probeKey(clusterPrefix(own), 'clock')],
    ['delete', clusterEtlKey(own, 'allocations/1d/0-1')],
  ],
};

const anyCall = (key: string): Call[] => [
  ['head', key],
  ['get', key],
  ['put', key],
  ['create', key],
  ['delete', key],
];
const anyWrite = (key: string): Call[] => anyCall(key).slice(2);

/** Calls that each role's policy must forbid. */
const mayNot: Record<Role, readonly Call[]> = {
  'federated-cluster': [
    ['list', ''],
    ['list', federatedPrefix],
    // This prefix has no final slash, so the listing would include the objects of cluster-10.
    ['list', clusterPrefix(own).slice(0, -1)],
    ['list', clusterEtlPrefix(like)],
    ['list', clusterEtlPrefix(other)],
    ['list', combinedPrefix],
    ['list', backupsPrefix(own)],
    ...[clusterEtlKey(like, window), clusterEtlKey(other, window)].flatMap(anyCall),
    ...[generationKey(1), objectKey(fingerprint), combinedEtlKey(window), backup(own)].flatMap(anyCall),
    ['delete', clusterEtlKey(own, window)],
    ['copy', clusterEtlKey(other, window), clusterEtlKey(own, 'allocations/1d/0-1')],
    ['copy', clusterEtlKey(own, window), combinedEtlKey(window)],
  ],
  federator: [
    ['list', ''],
    ['list', backupsPrefix(own)],
    ...[own, other].flatMap((cluster) => anyWrite(clusterEtlKey(cluster, window))),
    ...anyCall(backup(own)),
    ['delete', publishedKey],
    ['delete', unreferencedKey],
    ['copy', objectKey(fingerprint), clusterEtlKey(own, window)],
  ],
  primary: [
    ['list', ''],
    ['list', federatedPrefix],
    ['list', clusterEtlPrefix(other)],
    ['list', backupsPrefix(like)],
    ['list', backupsPrefix(other)],
    ...[clusterEtlKey(like, window), clusterEtlKey(other, window), backup(like), backup(other)].flatMap(
      anyCall,
    ),
    ...[generationKey(1), objectKey(fingerprint), combinedEtlKey(window), publishedKey].flatMap(anyWrite),
    ...anyWrite(clusterEtlKey(own, window)),
    ['delete', backup(own)],
    ['copy', objectKey(fingerprint), combinedEtlKey(window)],
  ],
  'cluster-remover': [
    ['list', ''],
    ['list', federatedPrefix],
    ['list', clusterPrefix(like)],
    ['list', objectsPrefix],
    ['get', clusterEtlKey(own, window)],
    ...[clusterEtlKey(like, window), clusterEtlKey(other, window), backup(own)].flatMap(anyCall),
    ...[objectKey(fingerprint), combinedEtlKey(window)].flatMap(anyCall),
    ...anyWrite(generationKey(1)),
  ],
};

describeWithS3('the documented policies for S3', () => {
  let users: S3Users;
  let server: S3Server;

  beforeAll(async () => {
    users = await startS3Users();
    server = await startS3Server({ rootDir: temporaryFolder(), temporary: true, users });
  });

  afterAll(async () => {
    await server?.stop();
    await users?.stop();
    await removeTemporaryFolders();
  });

  /**
   * Creates a bucket that contains all `seeds`. Returns a function that opens the bucket with a given user's access
   * key.
   */
  async function seeded(prefix: string) {
    const name = `policies-${randomUUID()}`;
    await server.createBucket(name);
    const open = ({ accessKey, secretKey }: { accessKey: string; secretKey: string }) => {
      const config = s3Settings({ ...server, accessKey, secretKey }, name);
      return openBucket(parseFederatedStore(JSON.stringify({ type: 'S3', config, prefix }), 'the test'));
    };
    const owner = await open(server);
    for (const key of seeds) await owner.put(key, Buffer.from(key));
    return { name, owner, open };
  }

  /**
   * Reads a role's policy from docs/reference/policies/s3, and replaces its placeholders as the documentation
   * describes.
   */
  function filledIn(role: Role, bucket: string, prefix: string): Document {
    const below = prefix === '' ? '' : `${prefix}/`;
    const document = readFileSync(path.join(policies, `${role}.json`), 'utf8')
      .replaceAll('"federated', `"${below}federated`)
      .replaceAll('BUCKET/federated', `BUCKET/${below}federated`)
      .replaceAll('BUCKET', bucket)
      .replaceAll('CLUSTER_ID', own);
    return JSON.parse(document) as Document;
  }

  describe.each([
    { how: 'as user policies', prefix: '', asBucketPolicy: false },
    { how: 'as user policies, below a prefix', prefix: 'team/costs', asBucketPolicy: false },
    { how: 'as one bucket policy', prefix: '', asBucketPolicy: true },
  ])('$how', ({ prefix, asBucketPolicy }) => {
    // This server stores the policy of a bucket as one extended attribute, which has room for three roles only.
    const roles = (Object.keys(does) as Role[]).filter(
      (role) => !asBucketPolicy || role !== 'cluster-remover',
    );
    let store: Awaited<ReturnType<typeof seeded>>;
    const opened = new Map<string, Bucket>();

    beforeAll(async () => {
      store = await seeded(prefix);
      const documents = new Map(roles.map((role) => [role, filledIn(role, store.name, prefix)]));
      const known = new Map<Role, S3User>();
      for (const [role, document] of documents) {
        const policy = asBucketPolicy ? [] : [JSON.stringify(document)];
        known.set(role, await users.create(`${role}-${randomUUID()}`, policy));
      }
      if (asBucketPolicy) await putBucketPolicy(server, store.name, documents, known);
      for (const [role, user] of known) opened.set(role, await store.open(user));
      const both = (['federated-cluster', 'primary'] as const).map((role) =>
        JSON.stringify(documents.get(role)),
      );
      if (!asBucketPolicy)
        opened.set('both', await store.open(await users.create(`both-${randomUUID()}`, both)));
    });

    afterAll(async () => {
      await Promise.all([...opened.values(), store.owner].map((bucket) => bucket.close()));
      opened.clear();
    });

    const as = (who: string) => opened.get(who) ?? raise(`nobody is ${who}`);

    test.each(roles)('a %s may make all its calls', async (role) => {
      expect(await refusals(as(role), does[role]())).toEqual([]);
    });

    test.each(roles)('a %s may do nothing else', async (role) => {
      const before = await listed(store.owner, '');
      const below = prefix === '' ? '' : `${prefix}/`;
      const refused = await refusals(as(role), mayNot[role]);
      expect(refused).toEqual(mayNot[role].map((call) => refusalOf(call, store.name, below)));
      expect(await listed(store.owner, '')).toEqual(before);
    });

    if (!asBucketPolicy) {
      test('a cluster that is both federated and a primary has the permissions of both', async () => {
        const calls = [...does['federated-cluster'](), ...does.primary()];
        expect(await refusals(as('both'), calls)).toEqual([]);
        const neither: Call[] = [['list', federatedPrefix], ...anyCall(clusterEtlKey(other, window))];
        expect(await refusals(as('both'), neither)).toHaveLength(neither.length);
      });
    }
  });

  test.each(Object.keys(does) as Role[])('nothing in the policy of a %s is superfluous', async (role) => {
    const store = await seeded('');
    const spare: string[] = [];
    for (const { taken, document } of lessened(filledIn(role, store.name, ''))) {
      const user = await users.create(`less-${randomUUID()}`, [JSON.stringify(document)]);
      const bucket = await store.open(user);
      if ((await refusals(bucket, does[role]())).length === 0) spare.push(taken);
      await bucket.close();
    }
    await store.owner.close();
    expect(spare).toEqual([]);
  });
});

/** Sets a bucket policy that combines the policies of all roles. Each policy applies only to the user of its role. */
async function putBucketPolicy(
  server: S3Server,
  bucket: string,
  documents: ReadonlyMap<Role, Document>,
  known: ReadonlyMap<Role, S3User>,
): Promise<void> {
  const Statement = [...documents].flatMap(([role, document]) =>
    document.Statement.map((statement) => ({
      ...statement,
      Sid: undefined,
      Principal: { AWS: known.get(role)?.arn },
    })),
  );
  const client = new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
    forcePathStyle: true,
  });
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await client
    .send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }))
    .finally(() => void client.destroy());
}

/**
 * Returns variants of a policy. Each variant lacks one permission: an action on a resource, or a prefix that may be
 * listed.
 */
function lessened({ Version, Statement }: Document): { taken: string; document: Document }[] {
  const grants = Statement.flatMap(({ Action, Resource, Condition }) =>
    all(Action).flatMap((action) =>
      all(Resource).flatMap((resource) =>
        all(Condition?.StringLike['s3:prefix'] ?? '').map((prefix) => ({
          Effect: 'Allow',
          Action: action,
          Resource: resource,
          ...(prefix !== '' && { Condition: { StringLike: { 's3:prefix': prefix } } }),
        })),
      ),
    ),
  );
  return grants.map((grant) => ({
    taken: JSON.stringify(grant),
    document: { Version, Statement: grants.filter((one) => one !== grant) },
  }));
}

function all<T extends string>(one: T | T[]): T[] {
  return Array.isArray(one) ? one : [one];
}

interface Refusal {
  readonly call: string;
  readonly detail: string;
  readonly key: string | undefined;
}

/**
 * Makes the calls one after another. Returns the calls that the store refused, with their errors. Throws any other
 * error.
 */
async function refusals(bucket: Bucket, calls: readonly Call[]): Promise<Refusal[]> {
  const refused: Refusal[] = [];
  for (const call of calls) {
    try {
      await make(bucket, call);
    } catch (error) {
      if (!isFederationError(error, 'STORAGE_ACCESS_DENIED')) throw error;
      refused.push({ call: call.join(' '), detail: error.detail, key: error.subject.key });
    }
  }
  return refused;
}

const verbs = {
  list: 'list',
  head: 'look',
  get: 'read',
  put: 'write',
  create: 'write',
  delete: 'delete',
  copy: 'copy',
  probe: 'write',
} as const;

/** Returns the error that a user must see for a refused call. It names the failed operation, the bucket and the key. */
function refusalOf(call: Call, bucket: string, below: string): unknown {
  const [name, key, to] = call;
  const readRefused = name === 'copy' && key.startsWith(clusterPrefix(other));
  const verb = readRefused ? 'look' : verbs[name];
  return {
    call: call.join(' '),
    detail: expect.stringContaining(`Could not ${verb} in s3://${bucket}: `),
    key: below + (readRefused ? key : (to ?? key)),
  };
}

async function make(bucket: Bucket, call: Call): Promise<unknown> {
  const [name, key] = call;
  switch (name) {
    case 'list':
      return listed(bucket, key, key === federatedPrefix ? { delimiter: '/' } : {});
    case 'head':
      return bucket.head(key);
    case 'get':
      return readAll(bucket, key);
    case 'put':
    case 'create':
      return bucket[name](key, Buffer.from(key));
    case 'delete':
      return bucket.delete(key);
    case 'copy':
      return bucket.copy(key, call[2]);
    case 'probe':
      return expect(await probeConditionalCreate(bucket, key)).toBe('kept');
  }
}

async function listed(bucket: Bucket, prefix: string, options: ListOptions = {}): Promise<ListEntry[]> {
  const found: ListEntry[] = [];
  for await (const entry of bucket.list(prefix, options)) found.push(entry);
  return found;
}

function raise(message: string): never {
  throw new Error(message);
}
