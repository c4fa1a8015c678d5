import type { Bucket, ListEntry, ListOptions, ObjectInfo } from './bucket';
import { checkKey, checkPrefix } from './check-key';

/**
 * Returns a bucket that contains only the objects below a prefix. Its keys are relative to the prefix, so objects
 * outside the prefix cannot be reached. The prefix is the path of a folder, without slashes at its start and end. If it
 * is empty, returns `bucket` itself.
 */
export function withPrefix(bucket: Bucket, prefix: string): Bucket {
  if (prefix === '') return bucket;
  checkKey(prefix);
  const outer = (key: string): string => {
    // Check the key before the prefix is added, so that a key such as `../x` cannot escape the prefix.
    checkKey(key);
    return `${prefix}/${key}`;
  };
  const inner = (key: string): string => key.slice(prefix.length + 1);
  const innerInfo = <Info extends ObjectInfo>(info: Info): Info => ({ ...info, key: inner(info.key) });

  async function* list(listed: string, options: ListOptions = {}): AsyncGenerator<ListEntry> {
    checkPrefix(listed);
    const after = options.after === undefined ? undefined : `${prefix}/${options.after}`;
    for await (const entry of bucket.list(`${prefix}/${listed}`, { ...options, after })) {
      yield entry.kind === 'prefix' ? { kind: 'prefix', prefix: inner(entry.prefix) } : innerInfo(entry);
    }
  }

  return {
    type: bucket.type,
    label: `${bucket.label}/${prefix}`,
    list,
    async head(key, options) {
      const head = await bucket.head(outer(key), options);
      return head && innerInfo(head);
    },
    async get(key, options) {
      const { head, body } = await bucket.get(outer(key), options);
      return { head: innerInfo(head), body };
    },
    async put(key, body, options) {
      return innerInfo(await bucket.put(outer(key), body, options));
    },
    async create(key, body, options) {
      return innerInfo(await bucket.create(outer(key), body, options));
    },
    async copy(from, to, options) {
      return innerInfo(await bucket.copy(outer(from), outer(to), options));
    },
    async delete(key, options) {
      return bucket.delete(outer(key), options);
    },
    close: () => bucket.close(),
  };
}
