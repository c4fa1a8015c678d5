import type { Edit } from './edits';

/** A defect that is built into the copy of the sources on purpose, to see that chaos notices it. */
export interface Breakage {
  readonly says: string;
  readonly edits: readonly Edit[];
  /** The store on which the defect can be noticed. (Default: either) */
  readonly store?: 'folder' | 's3';
  /** The faults of the store that show the defect. (Default: all) */
  readonly faults?: readonly string[];
}

/** Six defects, each of a kind that the design rules out. */
export const breakages = {
  digest: {
    says: 'pulled files are not compared with their digests',
    store: 's3',
    faults: ['flipped'],
    edits: [
      {
        file: 'local-etl/checked.ts',
        find: 'if (size !== expected.size || hash.digest(',
        replace: 'if (size !== expected.size && hash.digest(',
      },
    ],
  },
  'source-digest': {
    says: 'sources and documents are not compared with their digests',
    store: 's3',
    faults: ['flipped'],
    edits: [
      {
        file: 'storage/read-all.ts',
        find: "if (hash?.digest('hex') === promised) return read;",
        replace: 'if (hash !== null) return read;',
      },
    ],
  },
  'early-publish': {
    says: 'files are published before the generation is committed',
    edits: [
      {
        file: 'activities/commit-generation.ts',
        find: "import { objectKey } from '../federation/layout';",
        replace: "import { combinedEtlKey, objectKey } from '../federation/layout';",
      },
      {
        file: 'activities/commit-generation.ts',
        find: '  // The call may fail even though the object was created.',
        replace:
          '  for (const [window, { fingerprint }] of Object.entries(next.windows))\n' +
          '    await bucket.copy(objectKey(fingerprint), combinedEtlKey(window as never), options);\n' +
          '  // The call may fail even though the object was created.',
      },
    ],
  },
  'lost-lock': {
    says: 'two runs may commit the same generation, and the later one replaces the earlier one',
    edits: [
      {
        file: 'workers/earlier-runs.ts',
        find: 'if (earlier === undefined || Date.now() > until)',
        replace: 'if (earlier === undefined || Date.now() > 0)',
      },
      {
        file: 'workflows/federation.ts',
        find: 'workflowId: names(input.idPrefix).commit,',
        replace: 'workflowId: `${names(input.idPrefix).commit}/${committing.run}`,',
      },
      {
        file: 'activities/commit-generation.ts',
        find: 'if (newest !== head.newest) {',
        replace: 'if (newest < head.newest) {',
      },
      {
        file: 'activities/commit-generation.ts',
        find: "import { createDocument } from '../federation/document';",
        replace: "import { replaceDocument } from '../federation/document';",
      },
      {
        file: 'activities/commit-generation.ts',
        find: 'const created = await createDocument(bucket, documents.generation.at(next.generation), next, options).catch(\n    asError,\n  );',
        replace:
          'const created = await replaceDocument(bucket, documents.generation.at(next.generation), next, options)\n' +
          '    .then(() => true, asError);',
      },
    ],
  },
  'forgotten-include': {
    says: 'an excluded cluster stays excluded when it is included again',
    edits: [
      {
        file: 'workflows/roster.ts',
        find: '    exclusions.delete(message.cluster);\n    if (!loaded)',
        replace: '    if (!loaded)',
      },
    ],
  },
  'reused-object': {
    says: 'the object of the last generation is used again, although a source has changed',
    edits: [
      {
        file: 'activities/window-merge.ts',
        find: 'await findFinished(bucket, name, { signal });',
        replace: 'await findFinished(bucket, this.context.planned.base ?? name, { signal });',
      },
    ],
  },
} as const satisfies Readonly<Record<string, Breakage>>;
