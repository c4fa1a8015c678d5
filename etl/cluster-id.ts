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
  if (text === '.' || text.includes('..')) return 'The cluster id would leave its folder.';
  if (/[/\\\u0000-\u001f\u007f-\u009f]/.test(text)) {
    return 'The cluster id has a slash, a backslash or a control character.';
  }
  if (text === '__proto__') return 'The cluster id `__proto__` cannot be a key of an object in JavaScript.';
  if (new TextEncoder().encode(text).length > 253) return 'The cluster id has more than 253 bytes.';
  return undefined;
}
