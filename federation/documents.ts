import { z } from 'zod';
import { backupManifestSchema } from './backup-manifest';
import { defineDocument } from './document';
import { generationSchema } from './generation';
import { federationSchema } from './identity';
import {
  backupManifestKey,
  exportSchemaPath,
  federationKey,
  fullListingKey,
  generationKey,
  provenanceKey,
  publishedKey,
  runOutcomeKey,
  runPlanHeadKey,
  runPlanKey,
  runQuarantineKey,
  runReportKey,
  runRequestKey,
  unreferencedKey,
} from './layout';
import { lastFullListingSchema } from './listing';
import { planHeadSchema, planShardSchema, shardOutcomeSchema, windowResultSchema } from './plan-document';
import { provenanceSchema } from './provenance';
import { publishedSchema } from './published';
import { unreferencedSchema } from './retention';
import { reportSchema, requestSchema } from './run';

const mebibyte = 2 ** 20;
/** Size limit in bytes for documents whose size hardly depends on the number of windows and clusters. */
const small = 64 * mebibyte;
/**
 * Size limit in bytes for documents that grow with the number of windows or clusters. The limit is close to the maximum
 * length of a JavaScript string.
 */
const large = 512 * mebibyte;

/**
 * All kinds of JSON documents in the bucket. `docs/design/bucket-format.md` lists the same kinds, and also says what
 * reads each of them. A test compares the two lists.
 */
export const documents = {
  /** If this document is damaged, the next commit writes it again. */
  federation: defineDocument({
    pattern: 'federated/combined/federation.json',
    writer: 'commit, before the first generation',
    key: () => federationKey,
    schema: federationSchema,
    limit: small,
    damaged: 'absent',
  }),
  generation: defineDocument({
    pattern: 'federated/combined/generations/<n>.json',
    writer: 'commit, created only if absent',
    key: generationKey,
    schema: generationSchema,
    limit: large,
    damaged: 'GENERATION_UNREADABLE',
  }),
  /** If this document is damaged, a merge treats it as missing (see `readIntact`), and merges the window again. */
  provenance: defineDocument({
    pattern: 'federated/combined/objects/<fingerprint>.json',
    writer: 'merge, after the object',
    key: provenanceKey,
    schema: provenanceSchema,
    limit: large,
    damaged: 'STORAGE_CORRUPT',
  }),
  published: defineDocument({
    pattern: 'federated/combined/published.json',
    writer: 'publish',
    key: () => publishedKey,
    schema: publishedSchema,
    limit: large,
    damaged: 'STORAGE_CORRUPT',
  }),
  unreferenced: defineDocument({
    pattern: 'federated/combined/unreferenced.json',
    writer: 'clean-up',
    key: () => unreferencedKey,
    schema: unreferencedSchema,
    limit: small,
    damaged: 'STORAGE_CORRUPT',
  }),
  /** If this document is missing or damaged, the next run makes a full listing and then writes the document again. */
  fullListing: defineDocument({
    pattern: 'federated/combined/full-listing.json',
    writer: 'commit of a plan made from a full listing',
    key: () => fullListingKey,
    schema: lastFullListingSchema,
    limit: small,
    damaged: 'absent',
  }),
  runRequest: defineDocument({
    pattern: 'federated/combined/runs/<run>/request.json',
    writer: 'run, as its first object, or the next run',
    key: runRequestKey,
    schema: requestSchema,
    limit: small,
    damaged: 'STORAGE_CORRUPT',
  }),
  planShard: defineDocument({
    pattern: 'federated/combined/runs/<run>/plan-<attempt>-<k>.json',
    writer: 'plan',
    key: runPlanKey,
    schema: planShardSchema,
    limit: small,
    damaged: 'STORAGE_CORRUPT',
  }),
  planHead: defineDocument({
    pattern: 'federated/combined/runs/<run>/plan-<attempt>.json',
    writer: 'plan, after its shards',
    key: runPlanHeadKey,
    schema: planHeadSchema,
    limit: small,
    damaged: 'STORAGE_CORRUPT',
  }),
  windowQuarantine: defineDocument({
    pattern: 'federated/combined/runs/<run>/quarantine-<attempt>-<k>-<i>.json',
    writer: 'merge, if it has anything to list',
    key: runQuarantineKey,
    schema: windowResultSchema,
    limit: small,
    damaged: 'STORAGE_CORRUPT',
  }),
  shardOutcome: defineDocument({
    pattern: 'federated/combined/runs/<run>/outcome-<attempt>-<k>.json',
    writer: 'run, after the merges of the shard',
    key: runOutcomeKey,
    schema: shardOutcomeSchema,
    limit: large,
    damaged: 'STORAGE_CORRUPT',
  }),
  runReport: defineDocument({
    pattern: 'federated/combined/runs/<run>/report.json',
    writer: 'run, as its last object, or the next run',
    key: runReportKey,
    schema: reportSchema,
    limit: small,
    damaged: 'STORAGE_CORRUPT',
  }),
  backupManifest: defineDocument({
    pattern: 'federated-etl/backups/<cluster id>/<time>/manifest.json',
    writer: "primary, after the backup's files",
    key: backupManifestKey,
    schema: backupManifestSchema,
    limit: small,
    damaged: 'STORAGE_CORRUPT',
  }),
  /**
   * The key is relative to the root of the export, because an export can also be written to a local folder. The
   * document has no schema here: it is only compared, as a whole, with the document that the code would write. It
   * needs no digest for that, and the folder of an export has to contain nothing but the export.
   */
  exportSchema: defineDocument({
    pattern: 'federated/combined/export/v<version>/schema.json',
    writer: 'export, if it differs',
    key: exportSchemaPath,
    schema: z.unknown(),
    limit: small,
    damaged: 'absent',
    withoutDigest: true,
  }),
};
