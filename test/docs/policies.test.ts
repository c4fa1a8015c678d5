import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { clusterId } from '../../etl/cluster-id';
import {
  backupsPrefix,
  clusterEtlPrefix,
  clusterPrefix,
  combinedEtlPrefix,
  combinedPrefix,
  exportPrefix,
  federatedPrefix,
  generationsPrefix,
  keptPrefix,
  objectsPrefix,
  probeKey,
  runsPrefix,
} from '../../federation/layout';

const folder = path.join(__dirname, '../../docs/reference/policies');
const own = clusterId('CLUSTER_ID');

type Verb = 'list' | 'read' | 'write' | 'delete';
type Grants = Readonly<Record<Verb, readonly string[]>>;

const seenByPrimary = [combinedPrefix, clusterEtlPrefix(own), backupsPrefix(own)];
const granted: Readonly<Record<string, Grants>> = {
  'federated-cluster': {
    list: [clusterPrefix(own)],
    read: [clusterPrefix(own)],
    write: [clusterPrefix(own)],
    delete: [probeKey(clusterPrefix(own), '')],
  },
  federator: {
    list: [federatedPrefix],
    read: [federatedPrefix],
    write: [combinedPrefix],
    delete: [
      ...[combinedEtlPrefix, generationsPrefix, keptPrefix, objectsPrefix],
      ...[probeKey(combinedPrefix, ''), runsPrefix],
    ],
  },
  primary: {
    list: seenByPrimary,
    read: seenByPrimary,
    write: [backupsPrefix(own)],
    delete: [probeKey(backupsPrefix(own), '')],
  },
  exporter: {
    list: [exportPrefix],
    read: [exportPrefix],
    write: [exportPrefix],
    delete: [exportPrefix],
  },
  'cluster-remover': {
    list: [generationsPrefix, clusterPrefix(own)],
    read: [generationsPrefix],
    write: [clusterPrefix(own)],
    delete: [clusterPrefix(own)],
  },
};

const text = (...file: string[]) => readFileSync(path.join(folder, ...file), 'utf8');
const read = (...file: string[]): unknown => JSON.parse(text(...file));
const placeholders =
  /\b(?:BUCKET|CLUSTER_ID|PROJECT|SERVICE_ACCOUNT|SUBSCRIPTION|RESOURCE_GROUP|ROLE_NAME)\b/g;

describe('docs/reference/policies', () => {
  const page = text('README.md');
  const files = ['s3', 'gcs', 'azure'].flatMap((cloud) =>
    readdirSync(path.join(folder, cloud)).map((file) => `${cloud}/${file}`),
  );

  it.each(files)('names %s and its placeholders', (file) => {
    expect(page).toContain(`](${file})`);
    for (const [placeholder] of text(file).matchAll(placeholders)) expect(page).toContain(placeholder);
    expect(text(file).replace(placeholders, '')).not.toMatch(/\b[A-Z]+_[A-Z]+\b/);
  });

  describe.each(Object.entries(granted))('for a %s', (role, grants) => {
    it('allows on S3 what the role needs below its prefixes', () => {
      expect(grantsOfS3(read('s3', `${role}.json`) as S3Document)).toEqual(grants);
    });

    it('allows the same on Azure', () => {
      expect(grantsOfAzure(read('azure', `${role}.json`) as AzureDocument)).toEqual(grants);
    });

    it('allows the same on Google Cloud Storage, but for removing, which goes with replacing', () => {
      const { reader, writer } = grantsOfGoogle(read('gcs', `${role}.json`) as GoogleDocument);
      expect(writer).toEqual(grants.write);
      const inside = (prefix: string, others: readonly string[]) =>
        others.some((other) => prefix.startsWith(other));
      expect(reader.filter((prefix) => !grants.read.includes(prefix))).toEqual([]);
      expect(grants.read.filter((prefix) => !inside(prefix, [...reader, ...writer]))).toEqual([]);
      expect(grants.delete.filter((prefix) => !inside(prefix, writer))).toEqual([]);
    });
  });

  it('has roles for Google that read, and that write', () => {
    const permissions = (name: string) =>
      (parse(text('gcs', `${name}-role.yaml`)) as { includedPermissions: string[] }).includedPermissions;
    expect(permissions('reader')).toEqual(['storage.objects.get', 'storage.objects.list']);
    expect(permissions('writer').sort()).toEqual(
      ['create', 'delete', 'get', 'list'].map((verb) => `storage.objects.${verb}`),
    );
  });
});

interface S3Document {
  readonly Statement: readonly {
    readonly Effect: 'Allow';
    readonly Action: string | string[];
    readonly Resource: string | string[];
    readonly Condition?: { readonly StringLike: { readonly 's3:prefix': string | string[] } };
  }[];
}

function grantsOfS3({ Statement }: S3Document): Grants {
  const found: Record<Verb, string[]> = { list: [], read: [], write: [], delete: [] };
  const verbs = new Map<string, Verb>([
    ['s3:GetObject', 'read'],
    ['s3:PutObject', 'write'],
    ['s3:DeleteObject', 'delete'],
  ]);
  const below = (pattern: string) => cut(pattern, '', '*');
  for (const { Action, Resource, Condition } of Statement) {
    for (const action of [Action].flat()) {
      if (action === 's3:ListBucket') {
        expect(Resource).toBe('arn:aws:s3:::BUCKET');
        found.list.push(...[Condition?.StringLike['s3:prefix'] ?? []].flat().map(below));
        continue;
      }
      // Skip this action. It aborts a failed multipart upload, which deletes only parts that never became an object.
      if (action === 's3:AbortMultipartUpload') continue;
      const verb = verbs.get(action);
      if (verb === undefined) throw new Error(`${action} is none that any role needs`);
      found[verb].push(
        ...[Resource].flat().map((resource) => cut(below(resource), 'arn:aws:s3:::BUCKET/', '')),
      );
    }
  }
  return found;
}

interface AzureDocument {
  readonly condition: string;
}

function grantsOfAzure({ condition }: AzureDocument): Grants {
  const blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';
  const path_ = `@Resource[${blobs}:path]`;
  const kinds: [Verb, string, string][] = [
    ['read', `{'${blobs}/read'} AND NOT SubOperationMatches{'Blob.List'}`, path_],
    ['list', `{'${blobs}/read'} AND SubOperationMatches{'Blob.List'}`, `@Request[${blobs}:prefix]`],
    ['write', `{'${blobs}/write'}`, path_],
    ['delete', `{'${blobs}/delete'}`, path_],
  ];
  const clauses = cut(condition, '((', '))').split(')) AND ((');
  expect(clauses).toHaveLength(kinds.length);
  const found = kinds.map(([verb, action, attribute], index) => {
    const [matches = '', allowed = ''] = (clauses[index] ?? '').split(') OR (');
    expect(matches).toBe(`!(ActionMatches${action})`);
    const prefixes = allowed.split(' OR ').map((term) => cut(term, `${attribute} StringStartsWith '`, "'"));
    return [verb, prefixes] as const;
  });
  return Object.fromEntries(found) as unknown as Grants;
}

interface GoogleDocument {
  readonly bindings: readonly {
    readonly role: string;
    readonly condition: { readonly expression: string };
  }[];
}

function grantsOfGoogle({ bindings }: GoogleDocument): { reader: string[]; writer: string[] } {
  const found = { reader: [] as string[], writer: [] as string[] };
  for (const { role, condition } of bindings) {
    const [objects = '', listing = ''] = condition.expression.split(' || ');
    const prefix = cut(objects, "resource.name.startsWith('projects/_/buckets/BUCKET/objects/", "')");
    expect(listing).toBe(
      `api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('${prefix}')`,
    );
    const name = cut(role, 'projects/PROJECT/roles/federatedEtl', '');
    found[name === 'Reader' ? 'reader' : 'writer'].push(prefix);
  }
  return found;
}

/**
 * Returns the part of a text between `beginning` and `end`. Throws unless the text starts with `beginning` and ends
 * with `end`.
 */
function cut(text_: string, beginning: string, end: string): string {
  if (!text_.startsWith(beginning) || !text_.endsWith(end))
    throw new Error(`${text_} is not between ${beginning} and ${end}`);
  return text_.slice(beginning.length, text_.length - end.length);
}
