import type { Edit } from './edits';

/**
 * Shorter time-outs and pauses, so that a round takes seconds. They are applied to the copy of the sources that chaos
 * runs. Nothing else in that copy differs from the product.
 */
export const shortened: readonly Edit[] = [
  {
    file: 'workflows/retries.ts',
    find: "initialInterval: '1s',\n  backoffCoefficient: 2,\n  maximumInterval: '30s',",
    replace: "initialInterval: '0.2s',\n  backoffCoefficient: 2,\n  maximumInterval: '2s',",
  },
  {
    file: 'workflows/retries.ts',
    find: "startToCloseTimeout: '5m',\n  heartbeatTimeout: '20s',",
    replace: "startToCloseTimeout: '5m',\n  heartbeatTimeout: '5s',",
  },
  {
    file: 'workflows/retries.ts',
    find: "startToCloseTimeout: '1h',\n  heartbeatTimeout: '20s',",
    replace: "startToCloseTimeout: '1h',\n  heartbeatTimeout: '5s',",
  },
  {
    file: 'workers/as-activity.ts',
    find: 'const heartbeatEveryMs = 5_000;',
    replace: 'const heartbeatEveryMs = 1_000;',
  },
  {
    file: 'activities/merge-window.ts',
    find: 'const heartbeatEveryMs = 5_000;',
    replace: 'const heartbeatEveryMs = 1_000;',
  },
  {
    file: 'workflows/attempts.ts',
    find: 'const firstWaitAfterFailureMs = 10_000;\nconst longestWaitAfterFailureMs = 300_000;',
    replace: 'const firstWaitAfterFailureMs = 1_000;\nconst longestWaitAfterFailureMs = 4_000;',
  },
  {
    file: 'workers/connect.ts',
    find: 'const firstWaitMs = 1_000;\nconst longestWaitMs = 30_000;',
    replace: 'const firstWaitMs = 500;\nconst longestWaitMs = 2_000;',
  },
  {
    file: 'local-etl/lock.ts',
    find: 'const staleAfterMs = 2 * 60_000;',
    replace: 'const staleAfterMs = 10_000;',
  },
  {
    file: 'local-etl/lock.ts',
    find: 'const touchEveryMs = 20_000;',
    replace: 'const touchEveryMs = 2_000;',
  },
  {
    file: 'local-etl/lock.ts',
    find: 'const namelessAfterMs = 10_000;',
    replace: 'const namelessAfterMs = 2_000;',
  },
  {
    file: 'local-etl/write.ts',
    find: 'const strayAfterMs = 60 * 60_000;',
    replace: 'const strayAfterMs = 15_000;',
  },
  {
    file: 'storage/drivers/filesystem-walk.ts',
    find: 'const leftoverAgeMs = 3_600_000;',
    replace: 'const leftoverAgeMs = 15_000;',
  },
  {
    file: 'storage/drivers/filesystem-landing.ts',
    find: 'const lockAgeMs = 60_000;',
    replace: 'const lockAgeMs = 5_000;',
  },
];
