import type { FederationInput } from './federation';

/** Maximum length of the reason in a memo. The server limits the size of a memo, and a person may write any text. */
const longestWhy = 500;

/**
 * Returns the memo of a federation with this request. With the memo, a run can be listed and replayed even if it could
 * not write its request to the bucket.
 */
export function requestMemo(request: FederationInput['request']): { request: FederationInput['request'] } {
  const { why } = request;
  return { request: why === undefined ? request : { ...request, why: why.slice(0, longestWhy) } };
}
