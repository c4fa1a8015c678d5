/**
 * Names of workflows, task queues and the schedule. Normally, each federation has its own Temporal namespace. If
 * several federations share a namespace, each name starts with `temporal.idPrefix`.
 */
export interface Names {
  readonly schedule: string;
  readonly federationQueue: string;
  readonly mergeQueue: string;
  readonly roster: string;
  readonly commit: string;
  readonly federateOnPush: string;
  readonly federation: (suffix: string) => string;
  readonly clusterQueue: (cluster: string) => string;
  readonly push: (cluster: string) => string;
  readonly pull: (cluster: string) => string;
}

export function names(idPrefix: string): Names {
  return {
    schedule: `${idPrefix}federation`,
    federationQueue: `${idPrefix}federation`,
    mergeQueue: `${idPrefix}federation-merge`,
    roster: `${idPrefix}roster`,
    commit: `${idPrefix}commit`,
    federateOnPush: `${idPrefix}federate-on-push`,
    federation: (suffix) => `${idPrefix}federation-${suffix}`,
    clusterQueue: (cluster) => `${idPrefix}cluster.${cluster}`,
    push: (cluster) => `${idPrefix}push/${cluster}`,
    pull: (cluster) => `${idPrefix}pull/${cluster}`,
  };
}

/**
 * Returns the workflow id of a federation that a person or a push requested. For example,
 * `federation-2026-11-20T21:35:27.123Z-person`.
 */
export function requestedFederationId(idPrefix: string, at: Date, why: string): string {
  return names(idPrefix).federation(`${at.toISOString()}-${why}`);
}
