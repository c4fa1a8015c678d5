interface CatalogEntry {
  /** Meaning of the error, in one line. */
  readonly means: string;
  /** What the operator can do about the error. */
  readonly hint: string;
  /** True if a retry may succeed without human intervention. */
  readonly retryable: boolean;
}

/**
 * All errors of Federated ETL, by code. Codes must never change, because they are the types of Temporal failures, and
 * people set alerts on them. `docs/reference/errors.md` has an entry for each error.
 */
export const catalog = {
  // Errors of ETL files that cannot be read
  ETL_EMPTY_FILE: {
    means: 'An ETL file of zero bytes.',
    hint: 'The cluster that made it was probably cut off while writing. Repair this window there; the next run picks it up.',
    retryable: false,
  },
  ETL_TRUNCATED: {
    means: 'An ETL file that ends in the middle of its content.',
    hint: 'The file is incomplete. Repair this window on the cluster that made it; the next run picks it up.',
    retryable: false,
  },
  ETL_CORRUPT: {
    means: 'An ETL file whose bytes contradict the format.',
    hint: 'Repair this window on the cluster that made it; the next run picks it up.',
    retryable: false,
  },
  ETL_TOO_LARGE: {
    means: 'A gzipped ETL file that unpacks to more bytes than this process accepts.',
    hint: 'Check what wrote it. If the file is right, give the process that refused it more memory, as a file may unpack to an eighth of that; a federator reads the file again with `federated-etl federate --full`.',
    retryable: false,
  },
  ETL_TOO_OLD: {
    means: 'An ETL file of a codec version older than the oldest supported one.',
    hint: 'Upgrade the agent on the cluster that made it, and rebuild this window there.',
    retryable: false,
  },
  ETL_TOO_NEW: {
    means: 'An ETL file of a codec version newer than the newest known one.',
    hint: 'Upgrade Federated ETL; the file is left as it is.',
    retryable: false,
  },
  ETL_WRONG_PIPELINE: {
    means: 'A file whose pipeline does not match its folder.',
    hint: 'Check what writes to this folder: it holds a file of another pipeline.',
    retryable: false,
  },
  ETL_WRONG_WINDOW: {
    means: 'An ETL file whose window does not match its name.',
    hint: 'Repair this window on the cluster that made it. Windows are whole multiples of the resolution, in UTC.',
    retryable: false,
  },
  // Errors of source files that can be read but are quarantined
  SOURCE_VANISHED: {
    means: 'A window that a cluster contributed is gone from its folder.',
    hint: 'The last good contribution is kept. Look for a lifecycle rule or a deletion, and let the cluster push the window again.',
    retryable: false,
  },
  SOURCE_EMPTIED: {
    means: 'A window without records for which the same cluster had records before.',
    hint: 'The last good contribution is kept. Repair the window on the cluster; the next run picks it up.',
    retryable: false,
  },
  SOURCE_SHRUNK: {
    means: 'A file of a window that ended long ago has lost most of its records or resource hours.',
    hint: 'The last good contribution is kept. Repair the window on the cluster, or, if the file is right, run `federated-etl accept`.',
    retryable: false,
  },
  CLUSTER_NAME_TAKEN: {
    means: 'Records of a cluster carry the name of another cluster, so nothing new of the cluster is merged.',
    hint: 'Correct the cluster name in the cost model and build the windows again. If the name is the cluster’s own, run `federated-etl accept <cluster> --name <name>`; if the other cluster no longer exists, `federated-etl cluster remove <other>`.',
    retryable: false,
  },
  // Notices about a cluster's folder; its files are merged all the same
  WINDOW_IN_FUTURE: {
    means: 'A window that starts in the future.',
    hint: 'Check the clock of the cluster that made it. The window is merged.',
    retryable: false,
  },
  WINDOW_MISALIGNED: {
    means: 'A window that does not start at a whole multiple of its resolution, in UTC.',
    hint: 'The agent probably has a UTC offset. The window is merged, but only with windows of other clusters that have the same start; set the same offset everywhere, best none.',
    retryable: false,
  },
  WINDOW_LENGTH_WRONG: {
    means: 'A file whose window is shorter or longer than the resolution of its folder.',
    hint: 'The file is ignored. Look for what else writes to the folder, and delete the file there.',
    retryable: false,
  },
  FOLDER_TWO_WRITERS: {
    means: 'Two agents take turns at replacing the files of one cluster.',
    hint: 'Give each cluster its own id (`clusterId`), or stop one of the two agents. If one runs on a copy of the other’s volume, delete `.federated-etl` from the copy. Until then, the costs are those of the agent that pushed last.',
    retryable: false,
  },
  // Storage errors
  STORAGE_NOT_FOUND: {
    means: 'An object that should exist does not.',
    hint: 'It was deleted or never written. Run `federated-etl verify` to see what else is missing.',
    retryable: false,
  },
  STORAGE_BUCKET_NOT_FOUND: {
    means: 'The bucket, container or folder does not exist.',
    hint: 'Create it, or correct its name in federated-store.yaml.',
    retryable: false,
  },
  STORAGE_PRECONDITION_FAILED: {
    means: 'An object exists already, or has changed, although the operation required otherwise.',
    hint: 'Another writer was faster. Nothing was overwritten; check who else writes there.',
    retryable: false,
  },
  STORAGE_CONFLICT: {
    means: 'An object changed while it was being read or written.',
    hint: 'It is retried automatically.',
    retryable: true,
  },
  STORAGE_ACCESS_DENIED: {
    means: 'The credentials do not allow the operation.',
    hint: 'Check the credentials in federated-store.yaml and their permissions on this prefix.',
    retryable: false,
  },
  STORAGE_THROTTLED: {
    means: 'The store asks for fewer requests.',
    hint: 'It is retried automatically, more slowly. If it persists, lower the concurrency or ask the provider for a higher limit.',
    retryable: true,
  },
  STORAGE_UNAVAILABLE: {
    means: 'The store failed, or did not answer.',
    hint: 'It is retried automatically. If it persists, check the endpoint in federated-store.yaml and the network.',
    retryable: true,
  },
  STORAGE_CORRUPT: {
    means: 'The bytes read are not the bytes written.',
    hint: 'Run `federated-etl verify --deep` to see which objects are affected. A cluster’s file is read again by the next run; if it stays damaged, delete it from the bucket, and the cluster’s next push uploads it again.',
    retryable: true,
  },
  STORAGE_INVALID_KEY: {
    means: 'A key that no store can hold safely.',
    hint: 'Keys have no empty part, no part that ends with a dot, no control character and at most 900 bytes.',
    retryable: false,
  },
  STORAGE_INVALID_RANGE: {
    means: 'A byte range outside the object.',
    hint: 'This is a bug in Federated ETL; please report it.',
    retryable: false,
  },
  STORAGE_TOO_LARGE: {
    means: 'An object larger than its kind may be.',
    hint: 'Check what wrote it; nothing of this kind should be that large.',
    retryable: false,
  },
  STORAGE_QUOTA_EXCEEDED: {
    means: 'The disk or the bucket is full.',
    hint: 'Free some space or raise the quota. Nothing was half-written.',
    retryable: true,
  },
  STORAGE_UNSUPPORTED: {
    means: 'The store does not support the operation.',
    hint: 'Run `federated-etl doctor` to see what this store supports; docs/reference/providers.md lists the stores that were tested.',
    retryable: false,
  },
  STORAGE_READ_ONLY: {
    means: 'A write through a read-only bucket.',
    hint: 'This is a bug in Federated ETL; please report it.',
    retryable: false,
  },
  STORE_CONFIG_INVALID: {
    means: 'federated-store.yaml is invalid.',
    hint: 'Correct the setting; docs/reference/federated-store.md lists the settings of each type.',
    retryable: false,
  },
  // Errors of settings, cluster ids and set-up
  SETTINGS_INVALID: {
    means: 'The settings contradict each other or name something unknown.',
    hint: 'Correct the setting; docs/reference/settings.md lists them all.',
    retryable: false,
  },
  CLUSTER_ID_INVALID: {
    means: 'A cluster id that cannot be a folder below federated/.',
    hint: 'Use 1 to 240 bytes without `/`, `..`, a dot at the end or control characters, and not `combined` or `__proto__`.',
    retryable: false,
  },
  DUPLICATE_CLUSTER_ID: {
    means: 'Two volumes claim the same cluster id.',
    hint: 'Give one of the clusters another clusterId. If the volume of this cluster was replaced on purpose, terminate its push workflow (`temporal workflow terminate -w push/<cluster id>`) and restart.',
    retryable: true,
  },
  ROSTER_BOUND_ELSEWHERE: {
    means: 'This Temporal namespace already serves a federation of another bucket.',
    hint: 'Set temporal.idPrefix, or another namespace, for one of the two federations.',
    retryable: false,
  },
  FEDERATOR_CONFLICT: {
    means:
      'Another federator commits to this bucket, with different settings or with different exclusions from a separate roster.',
    hint: 'Give both federators the same settings and, if they have separate rosters, the same exclusions. Or stop one of them, or run `federated-etl federate --take-over` on the one whose settings and exclusions should apply.',
    retryable: false,
  },
  FEDERATION_MISSING: {
    means: 'The federation that is known here is not in the bucket.',
    hint: 'Check that the bucket is mounted, and its name in federated-store.yaml. If the federation really begins again, run `federated-etl federate --new-federation`.',
    retryable: false,
  },
  FEDERATION_OTHER: {
    means:
      'The bucket contains another federation than the one that is known here, or an earlier state of it.',
    hint: 'Check the name of the bucket in federated-store.yaml. If the bucket was restored or replaced, run `federated-etl federate --new-federation`.',
    retryable: false,
  },
  SEARCH_ATTRIBUTES_MISSING: {
    means: 'Search attributes are missing from the Temporal namespace and could not be registered.',
    hint: 'Register them with `temporal operator search-attribute create`, or in Temporal Cloud with `tcld`; docs/reference/temporal.md has the commands.',
    retryable: false,
  },
  TEMPORAL_UNAVAILABLE: {
    means: 'No Temporal server answers at the address, or it has no such namespace.',
    hint: 'Start one, or correct temporal.address (or TEMPORAL_ADDRESS).',
    retryable: true,
  },
  TEMPORAL_ACCESS_DENIED: {
    means: 'The Temporal server does not accept the credentials, or they do not allow the request.',
    hint: 'Correct the credentials (TEMPORAL_API_KEY, TEMPORAL_TLS_CLIENT_CERT_PATH), their permissions, or temporal.namespace.',
    retryable: false,
  },
  TEMPORAL_THROTTLED: {
    means: 'The Temporal server asks for fewer requests.',
    hint: 'It is retried automatically. If it persists, raise the limits of the namespace.',
    retryable: true,
  },
  TEMPORAL_REFUSED: {
    means: 'The Temporal server cannot do what was requested, or does not know what the request is about.',
    hint: 'Check with `federated-etl doctor` what is missing. If the server does not know the request at all, it is too old.',
    retryable: false,
  },
  TEMPORAL_KEY_MISSING: {
    means: 'Data in Temporal is encrypted, and this process has no key that decrypts it.',
    hint: "Add the key with this id to the file of temporal.encryptionKeys, in every process and on the operator's machine. What a verb asked for may have been done: look with `federated-etl status`.",
    retryable: false,
  },
  TEMPORAL_KEY_DIFFERS: {
    means: 'An encryption key has the same id as another one, but not the same secret.',
    hint: 'Restore the secret that belongs to this id in the file of temporal.encryptionKeys, and give a new secret a new id. If the old secret is lost, terminate the workflows that are encrypted with it, and delete the schedule: their processes create them again.',
    retryable: false,
  },
  // Errors of federation runs and their results
  FEDERATION_FAILED: {
    means: 'A federation could not commit.',
    hint: 'Nothing was changed. Fix the cause, then run `federated-etl replay <run>`; windows that were merged are not merged again.',
    retryable: false,
  },
  PLAN_UNREADABLE: {
    means: 'What a federation wrote for its own later steps cannot be read: its plan, or what it merged.',
    hint: 'The run plans again by itself. If that fails too, find out what else writes to or deletes from the bucket.',
    retryable: false,
  },
  GENERATION_UNREADABLE: {
    means: 'A generation, its objects or their provenance cannot be read.',
    hint: 'Run `federated-etl verify`: it names what is damaged, and for each what repairs it. If it is the newest generation, that is `federated-etl federate --from N` or `federated-etl rollback N`, N being the newest that can be read.',
    retryable: false,
  },
  ROLLBACK_IMPOSSIBLE: {
    means: 'Objects of the generation to roll back to are gone or damaged.',
    hint: 'Choose another generation: `federated-etl generations` lists them, and `federated-etl verify` checks the newest.',
    retryable: false,
  },
  FEDERATION_ON_HOLD: {
    means: 'A rollback has put the federation on hold, so nothing else is committed.',
    hint: 'Run `federated-etl federate --resume` once what was wrong is mended. It ends the hold and federates again.',
    retryable: false,
  },
  RUN_NOT_FOUND: {
    means: 'There is no federation run of that name.',
    hint: '`federated-etl runs` lists them.',
    retryable: false,
  },
  RUN_DIED: {
    means:
      'A federation ended without a report: it was terminated, ran into its time limit, or Temporal has lost it.',
    hint: 'Nothing was changed unless it had committed. Run `federated-etl replay <run>`, or wait for the next run.',
    retryable: false,
  },
  WAIT_TIMED_OUT: {
    means: 'A federation has not ended within the time that --timeout allows.',
    hint: 'Nothing was cancelled. `federated-etl runs` shows how it goes on.',
    retryable: false,
  },
  CLUSTER_UNKNOWN: {
    means: 'There is no cluster of that id.',
    hint: '`federated-etl status` lists the clusters.',
    retryable: false,
  },
  CLUSTER_NAME_UNKNOWN: {
    means: 'No cluster owns this cluster name.',
    hint: '`federated-etl quarantine` lists the names that clusters carry although others own them.',
    retryable: false,
  },
  CLUSTER_REMOVED: {
    means: 'The cluster is removed from the federation.',
    hint: 'Bring it back first: `federated-etl cluster restore <cluster>`.',
    retryable: false,
  },
  CLUSTER_LAST: {
    means:
      'The only cluster in the combined set cannot be removed, because every generation has at least one.',
    hint: 'Include or add another cluster first. To end the whole federation, stop its processes instead.',
    retryable: false,
  },
  REMOVAL_NOT_COMMITTED: {
    means:
      'The newest generation does not say what was decided: that a cluster is removed, or that it is back.',
    hint: 'Look at `federated-etl runs`, then repeat the command. With --store, check that the file names the bucket of the federation.',
    retryable: false,
  },
  CLUSTER_STILL_PUSHES: {
    means:
      'The files of a cluster that pushed within the last hour, or may push at any moment, are not deleted.',
    hint: 'Stop its pushes (federatedETL.federatedCluster), and try again an hour after the last one.',
    retryable: false,
  },
  QUARANTINE_NOT_FOUND: {
    means: 'No quarantined source to decide about.',
    hint: '`federated-etl quarantine` lists what is quarantined, and what has been decided.',
    retryable: false,
  },
  ACCEPT_IMPOSSIBLE: {
    means:
      'A quarantined source that cannot be accepted, because there is nothing in it that could be merged.',
    hint: 'Repair the window on the cluster; the next run picks it up. If that is impossible, `federated-etl quarantine drop` keeps it out of the total for good.',
    retryable: false,
  },
  MERGE_WINDOWS_DIFFER: {
    means: 'A merge of files of different windows or pipelines.',
    hint: 'Only merge files of the same window and pipeline.',
    retryable: false,
  },
  // Errors of primary clusters
  BACKUP_FAILED: {
    means: 'The local ETL could not be backed up and read back before the first overwrite.',
    hint: 'Nothing was overwritten. Free some space or correct localEtl.backupPath; the next pull tries again.',
    retryable: true,
  },
  BACKUP_NOT_FOUND: {
    means: 'There is no backup of that name.',
    hint: '`federated-etl backups` lists them.',
    retryable: false,
  },
  PRIMARY_ACTIVE: {
    means: 'The cluster still pulls the combined set over its local ETL.',
    hint: 'Run `federated-etl primary leave` first.',
    retryable: false,
  },
  RESTORE_RUNNING: {
    means: 'A backup of the local ETL is being restored, so the cluster cannot become a primary now.',
    hint: 'Wait until `federated-etl restore` has ended, then run `federated-etl primary enter` again.',
    retryable: false,
  },
  LOCAL_ETL_MISSING: {
    means: 'The local ETL store does not exist.',
    hint: 'Correct localEtl.path, or mount the volume that holds it.',
    retryable: true,
  },
  LOCAL_ETL_REFUSED: {
    means: 'This process may not read or write the volume of the local ETL store.',
    hint: 'Run it as a user who may write to the volume (pods.runAs in the chart), free some space, or mount the volume writable; it then continues.',
    retryable: true,
  },
  LOCAL_STATE_UNREADABLE: {
    means: 'The state that Federated ETL keeps on the volume cannot be read.',
    hint: 'Put the named file back from a snapshot of the volume, or delete it and its copy next to it (.copy.json): it then counts as lost.',
    retryable: false,
  },
  // Errors of queries to a primary cluster
  QUERY_INVALID: {
    means: 'An invalid query parameter.',
    hint: 'Correct the parameter; docs/reference/api.md and /api/docs on the server list the accepted values.',
    retryable: false,
  },
  QUERY_NOT_BUILT: {
    means: 'A part of the query API that this version does not implement.',
    hint: 'docs/reference/api.md lists what is implemented.',
    retryable: false,
  },
  QUERY_NO_DATA: {
    means: 'Nothing has been combined and pulled yet, so there is no data to answer from.',
    hint: 'Wait for the first federation and pull; `federated-etl status` says what is missing.',
    retryable: true,
  },
  QUERY_BUSY: {
    means: 'Too many queries are waiting, or a client has not read its answers yet.',
    hint: 'Try again later. If it persists, raise api.limits.waiting or ask for less at once.',
    retryable: true,
  },
  QUERY_TIMEOUT: {
    means: 'A query that exceeded its time limit.',
    hint: 'Ask for a shorter window or fewer groups, or raise api.limits.seconds.',
    retryable: true,
  },
  QUERY_TOO_LARGE: {
    means: 'An answer that is larger than allowed.',
    hint: 'Aggregate by fewer fields, filter, accumulate or set limit; or raise the limit that is named; or use `federated-etl export`.',
    retryable: false,
  },
  QUERY_NO_ROOM: {
    means: 'The query database ran out of memory or disk space.',
    hint: 'Raise query.memory, or free space on the volume of query.path, whichever is named; it then recovers automatically.',
    retryable: true,
  },
  QUERY_DATABASE_UNUSABLE: {
    means: 'The query database cannot be opened or written.',
    hint: 'Only one process may use it. If none does, delete the named folder: it is rebuilt from the ETL files.',
    retryable: true,
  },
  ACCESS_DENIED: {
    means: 'The token is missing or wrong, or none is configured.',
    hint: 'Send `Authorization: Bearer <token>` or `X-API-KEY: <token>` with the operator token (api.token), or, to read, with a read token.',
    retryable: false,
  },
  HOST_UNKNOWN: {
    means: 'A request under a host name that the primary does not have.',
    hint: 'Use localhost, an IP address or the name of its service, or add the name to api.hosts.',
    retryable: false,
  },
  // Other errors
  SERVER_NOT_FOUND: {
    means: 'A required server can be neither found nor installed.',
    hint: 'Install it as the message says.',
    retryable: false,
  },
  SYSTEM_REFUSED: {
    means: 'The operating system refused to read or write a file, or to open a connection.',
    hint: 'Check that the named file or address exists, that this process may use it, and that there is space.',
    retryable: true,
  },
  STEP_TIMED_OUT: {
    means: 'A step took too long, or the process that worked on it ended.',
    hint: 'It is retried automatically. If it persists, check that the process runs and has enough CPU and memory.',
    retryable: true,
  },
  INTERNAL: {
    means: 'An unexpected error.',
    hint: 'This is a bug in Federated ETL; please report it, with the log around it.',
    retryable: true,
  },
} as const satisfies Record<string, CatalogEntry>;

export type ErrorCode = keyof typeof catalog;

/**
 * Returns whether a text is an error code in this catalogue. The text may be the type of a Temporal failure, for
 * example.
 */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(catalog, text);
}
