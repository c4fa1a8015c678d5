import { FederationError } from '../errors/federation-error';

/**
 * The id of a cluster. It is also the name of the cluster's folder under `federated/` in the bucket. Newer agents use
 * the cluster's name as its id, so every text that can be the name of a folder is accepted.
 */
export type ClusterId = string & { readonly __brand: 'ClusterId' };

/**
 * Returns the text as a cluster id. Throws CLUSTER_ID_INVALID if the text cannot be the name of a folder under
 * `federated/`.
 */
export function clusterId(text: string): ClusterId {
  const fault = clusterIdFault(text);
  if (fault === undefined) return text as ClusterId;
  throw new FederationError('CLUSTER_ID_INVALID', {
    subject: { cluster: JSON.stringify(text) },
    detail: fault,
  });
}

/** Returns whether the text is a valid cluster id. */
export function isClusterId(text: string): text is ClusterId {
  return clusterIdFault(text) === undefined;
}

function clusterIdFault(text: string): string | undefined {
  if (text === '') return 'The cluster id is empty.';
  if (text === 'combined') return 'The cluster id `combined` is taken by the output.';
  if (text.includes('..')) return 'The cluster id would leave its folder.';
  // Azure removes a dot at the end, so the id would name the folder of another cluster.
  if (text.endsWith('.')) return 'The cluster id ends with a dot.';
  if (/[/\\\p{Cc}]/u.test(text)) return 'The cluster id has a slash, a backslash or a control character.';
  if (!text.isWellFormed() || /[\p{Private_Use}\p{Noncharacter_Code_Point}]/u.test(text))
    return 'The cluster id has a character that stores do not accept.';
  if (/^\.(?:tmp|meta)-/.test(text)) return 'The cluster id begins with `.tmp-` or `.meta-`.';
  if (text === '__proto__') return 'The cluster id `__proto__` cannot be a key of an object in JavaScript.';
  // The longest part of a key. See `storage/check-key.ts`, which tests compare with these rules.
  if (new TextEncoder().encode(text).length > 240) return 'The cluster id has more than 240 bytes.';
  return undefined;
}
