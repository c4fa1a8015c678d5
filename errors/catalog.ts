interface CatalogEntry {
  /** What the code means, in one line. */
  readonly means: string;
  /** What the operator does about it. */
  readonly hint: string;
  /** Whether the same attempt can succeed later without anybody doing anything. */
  readonly retryable: boolean;
}

/**
 * Every error that Federated ETL raises. Codes are stable: they are Temporal failure types, and people alert on
 * them. `docs/reference/errors.md` has an entry for each.
 */
export const catalog = {
  // An ETL file that cannot be read
  ETL_EMPTY_FILE: {
    means: 'An ETL file of zero bytes.',
    hint: 'The cluster that made it was probably cut off while writing. Repair this window there; the next run picks it up.',
    retryable: false,
  },
  ETL_TRUNCATED: {
    means: 'An ETL file that ends before its content does.',
    hint: 'The file is incomplete. Repair this window on the cluster that made it; the next run picks it up.',
    retryable: false,
  },
  ETL_CORRUPT: {
    means: 'An ETL file whose bytes contradict the format.',
    hint: 'Repair this window on the cluster that made it; the next run picks it up.',
    retryable: false,
  },
  ETL_TOO_OLD: {
    means: 'An ETL file of a codec version older than the oldest that is supported.',
    hint: 'Upgrade the agent on the cluster that made it, and rebuild this window there.',
    retryable: false,
  },
  ETL_TOO_NEW: {
    means: 'An ETL file of a codec version newer than the newest that is known.',
    hint: 'Upgrade Federated ETL; the file is left as it is.',
    retryable: false,
  },
  ETL_WRONG_PIPELINE: {
    means: 'A file that is of another pipeline than its place says.',
    hint: 'Look at what writes into this folder: a file of one pipeline lies in the folder of another.',
    retryable: false,
  },
  ETL_WRONG_WINDOW: {
    means: 'An ETL file whose window is not the one of its name.',
    hint: 'Repair this window on the cluster that made it. Windows are whole multiples of the resolution, in UTC.',
    retryable: false,
  },
  // A source that can be read but is not taken
  SOURCE_VANISHED: {
    means: 'A window that a cluster contributed is gone from its folder.',
    hint: 'Its last good contribution stays. Look for a lifecycle rule or a deletion; let the cluster push it again.',
    retryable: false,
  },
  SOURCE_EMPTIED: {
    means: 'A window without records where the same cluster had records before.',
    hint: 'Its last good contribution stays. Repair the window on the cluster; the next run picks it up.',
    retryable: false,
  },
  // Storage
  STORAGE_NOT_FOUND: {
    means: 'An object that should be there is not.',
    hint: 'It was deleted or never written. Run `federated-etl verify` to see what else is missing.',
    retryable: false,
  },
  STORAGE_BUCKET_NOT_FOUND: {
    means: 'The bucket, container or folder does not exist.',
    hint: 'Create it, or correct its name in federated-store.yaml.',
    retryable: false,
  },
  STORAGE_PRECONDITION_FAILED: {
    means: 'An object was there already, or changed, where the operation asked that it was not.',
    hint: 'Somebody else was faster. Nothing was overwritten; look at who else writes there.',
    retryable: false,
  },
  STORAGE_CONFLICT: {
    means: 'An object changed while it was being read or written.',
    hint: 'It is tried again by itself.',
    retryable: true,
  },
  STORAGE_ACCESS_DENIED: {
    means: 'The credentials do not allow the operation.',
    hint: 'Check the credentials in federated-store.yaml and what they may do under this prefix.',
    retryable: false,
  },
  STORAGE_THROTTLED: {
    means: 'The store asks for fewer requests.',
    hint: 'It is tried again more slowly by itself. If it lasts, lower the concurrency or ask the provider for a higher limit.',
    retryable: true,
  },
  STORAGE_UNAVAILABLE: {
    means: 'The store answered with an error of its own, or not at all.',
    hint: 'It is tried again by itself. If it lasts, look at the endpoint in federated-store.yaml and at the network.',
    retryable: true,
  },
  STORAGE_CORRUPT: {
    means: 'The bytes read are not the bytes written.',
    hint: 'Run `federated-etl verify` to see which objects are concerned.',
    retryable: true,
  },
  STORAGE_INVALID_KEY: {
    means: 'A key that no store can hold safely.',
    hint: 'Keys have no empty, `.` or `..` part, no control character and at most 900 bytes.',
    retryable: false,
  },
  STORAGE_INVALID_RANGE: {
    means: 'A byte range that lies outside of the object.',
    hint: 'This is a fault of Federated ETL; please report it.',
    retryable: false,
  },
  STORAGE_TOO_LARGE: {
    means: 'An object larger than what is allowed there.',
    hint: 'Look at what wrote it; nothing of this kind should be that large.',
    retryable: false,
  },
  STORAGE_QUOTA_EXCEEDED: {
    means: 'The disk or the bucket is full.',
    hint: 'Free some space or raise the quota. Nothing was half-written.',
    retryable: true,
  },
  STORAGE_UNSUPPORTED: {
    means: 'The store does not know what was asked of it.',
    hint: 'Ask `federated-etl doctor` what this store can do; docs/reference/providers.md says which stores were tried.',
    retryable: false,
  },
  STORAGE_READ_ONLY: {
    means: 'A write where only reading is meant to happen.',
    hint: 'This is a fault of Federated ETL; please report it.',
    retryable: false,
  },
  STORE_CONFIG_INVALID: {
    means: 'federated-store.yaml cannot be used as it is.',
    hint: 'Correct the setting; docs/reference/federated-store.md lists what each type takes.',
    retryable: false,
  },
  // Settings and identity
  SETTINGS_INVALID: {
    means: 'The settings contradict themselves or name something unknown.',
    hint: 'Correct the setting; docs/reference/settings.md lists them all.',
    retryable: false,
  },
  CLUSTER_ID_INVALID: {
    means: 'A cluster id that cannot be a folder under federated/.',
    hint: 'Use 1 to 253 bytes without `/`, `..` or control characters, and not `combined`.',
    retryable: false,
  },
  DUPLICATE_CLUSTER_ID: {
    means: 'Two volumes claim one cluster id.',
    hint: 'Give one of the clusters another clusterId. If the volume of this cluster was replaced on purpose, terminate its push workflow (`temporal workflow terminate -w push/<cluster id>`) and start again.',
    retryable: true,
  },
  ROSTER_BOUND_ELSEWHERE: {
    means: 'This Temporal namespace already serves a federation of another bucket.',
    hint: 'Set temporal.idPrefix (or another namespace) for one of the two federations.',
    retryable: false,
  },
  FEDERATOR_CONFLICT: {
    means: 'Another federator with another membership commits to this bucket.',
    hint: 'Make the settings and exclusions of both federators equal, stop one, or run `federated-etl federate --take-over` on the one that shall decide.',
    retryable: false,
  },
  SEARCH_ATTRIBUTES_MISSING: {
    means: 'Search attributes are not registered in the Temporal namespace, and could not be added.',
    hint: 'Register them with `temporal operator search-attribute create`; docs/reference/temporal.md has the command.',
    retryable: false,
  },
  TEMPORAL_UNAVAILABLE: {
    means: 'No Temporal server answers at the address, or it does not serve the namespace.',
    hint: 'Start one, or correct temporal.address (or TEMPORAL_ADDRESS).',
    retryable: true,
  },
  // Federation
  FEDERATION_FAILED: {
    means: 'A federation could not commit.',
    hint: 'Nothing was changed. Read the cause, then `federated-etl replay <run>`; what was merged already is not merged again.',
    retryable: false,
  },
  GENERATION_UNREADABLE: {
    means: 'A generation, its objects or their provenance cannot be read.',
    hint: 'Run `federated-etl verify`. An earlier generation is kept for at least a day.',
    retryable: false,
  },
  RUN_NOT_FOUND: {
    means: 'No federation of that name is known.',
    hint: '`federated-etl runs` lists them.',
    retryable: false,
  },
  CLUSTER_UNKNOWN: {
    means: 'No cluster of that id is known.',
    hint: '`federated-etl status` lists the clusters.',
    retryable: false,
  },
  MERGE_WINDOWS_DIFFER: {
    means: 'Files of different windows or pipelines that were to be merged.',
    hint: 'Only files of exactly the same window and pipeline are merged.',
    retryable: false,
  },
  // A primary
  BACKUP_FAILED: {
    means: 'The local ETL could not be saved and read back before it would be overwritten.',
    hint: 'Nothing was overwritten. Make room or correct localEtl.backupPath; the next pull tries again.',
    retryable: true,
  },
  BACKUP_NOT_FOUND: {
    means: 'No backup of that name exists.',
    hint: '`federated-etl backups` lists them.',
    retryable: false,
  },
  PRIMARY_ACTIVE: {
    means: 'The cluster still pulls what is combined over its local ETL.',
    hint: 'Run `federated-etl primary leave` first.',
    retryable: false,
  },
  LOCAL_ETL_MISSING: {
    means: 'The local ETL store is not there.',
    hint: 'Correct localEtl.path, or mount the volume that holds it.',
    retryable: true,
  },
  LOCAL_ETL_REFUSED: {
    means: 'The volume of the local ETL store does not let this process read or write there.',
    hint: 'Run it as a user who may write the volume (the chart: pods.runAs), make room, or mount it writable; then it goes on.',
    retryable: true,
  },
  LOCAL_STATE_UNREADABLE: {
    means: 'What Federated ETL remembers on the volume cannot be read.',
    hint: 'Look at the named file under .federated-etl on the volume; the message says what was wrong with it.',
    retryable: false,
  },
  // Questions to a primary
  QUERY_INVALID: {
    means: 'A parameter of a query that cannot be understood.',
    hint: 'Correct the parameter; docs/reference/api.md and /api/docs on the server list what each takes.',
    retryable: false,
  },
  QUERY_NOT_BUILT: {
    means: 'A part of the query API that this version does not have.',
    hint: 'docs/reference/api.md lists what is there.',
    retryable: false,
  },
  QUERY_NO_DATA: {
    means: 'Nothing was ever combined and pulled, so there is nothing to answer from.',
    hint: 'Wait for the first federation and pull; `federated-etl status` says what is missing.',
    retryable: true,
  },
  QUERY_BUSY: {
    means: 'More queries wait for an answer than are allowed to.',
    hint: 'Ask again later. If it lasts, raise api.limits.waiting or ask for less at once.',
    retryable: true,
  },
  QUERY_TIMEOUT: {
    means: 'A query that took longer than it may.',
    hint: 'Ask for a shorter window or fewer groups, or raise api.limits.seconds.',
    retryable: true,
  },
  QUERY_TOO_LARGE: {
    means: 'An answer of more rows than are allowed.',
    hint: 'Aggregate by fewer fields, filter, accumulate or set limit; or raise api.limits.rows, or use `federated-etl export`.',
    retryable: false,
  },
  QUERY_NO_ROOM: {
    means: 'The database of the query API ran out of memory or of disk.',
    hint: 'Raise query.memory or free space on the volume of query.path, whichever is named; it then recovers by itself.',
    retryable: true,
  },
  QUERY_DATABASE_UNUSABLE: {
    means: 'The database of the query API cannot be opened or written.',
    hint: 'Only one process may use it. If none does, delete the folder named: it is built again from the ETL files.',
    retryable: true,
  },
  ACCESS_DENIED: {
    means: 'The token is missing or wrong, or none is configured.',
    hint: 'Send `Authorization: Bearer <token>` or `X-API-KEY: <token>` with the value of api.token.',
    retryable: false,
  },
  // Set-up
  SERVER_NOT_FOUND: {
    means: 'A server that is needed can be neither found nor installed.',
    hint: 'Install it as the message says.',
    retryable: false,
  },
  INTERNAL: {
    means: 'Something that was not foreseen.',
    hint: 'This is a fault of Federated ETL; please report it with the log around it.',
    retryable: true,
  },
} as const satisfies Record<string, CatalogEntry>;

export type ErrorCode = keyof typeof catalog;

/** Whether a text, such as the type of a Temporal failure, is one of the catalogued codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(catalog, text);
}
