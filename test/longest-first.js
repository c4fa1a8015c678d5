'use strict';

const path = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * Test files that take half a minute or more, longest first. If the longest one started last, the test run would take
 * longer. Jest knows how long a test file takes only after it has run it. In a fresh clone, it starts the largest files
 * first.
 */
const longest = [
  'test/image/image.test.ts',
  'test/web/page.test.ts',
  'test/end-to-end/five-clusters-on-s3.test.ts',
  'test/end-to-end/serves-alone.test.ts',
  'test/storage/azure-through-proxy.test.ts',
  'test/end-to-end/store-fails.test.ts',
  'test/chaos/chaos.test.ts',
  'test/query/engine-agrees.test.ts',
  'test/query/one-answer.test.ts',
  'test/end-to-end/five-clusters-on-azure.test.ts',
  'test/query/no-room.test.ts',
  'test/end-to-end/catches-up.test.ts',
  'test/scripts/temporal-verbs.test.ts',
  'test/end-to-end/example.test.ts',
  'test/storage/s3-through-proxy.test.ts',
  'test/chart/five-clusters.test.ts',
  'test/end-to-end/two-federators.test.ts',
  'test/storage/gcs-through-proxy.test.ts',
  'test/web/real-server.test.ts',
  'test/end-to-end/hostile-names.test.ts',
  'test/end-to-end/five-clusters-on-gcs.test.ts',
  'test/etl/whole-pipeline.test.ts',
  'test/activities/merge-gzipped.test.ts',
  'test/storage/azure-contract.test.ts',
  'test/etl/splice.test.ts',
  'test/workflows/fan-out.test.ts',
  'test/workflows/federation.test.ts',
  'test/end-to-end/least-privilege.test.ts',
  'test/chart/chart.test.ts',
];

/** Makes jest start the test files in `longest` first, and then the others in jest's own order. */
class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = (test) => {
      const root = test.context.config.rootDir;
      const found = longest.indexOf(path.relative(root, test.path).split(path.sep).join('/'));
      return found === -1 ? longest.length : found;
    };
    // The sort is stable, so files that are not in `longest` keep jest's order.
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}

module.exports = LongestFirst;
