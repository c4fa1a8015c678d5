import { inputsPerBatch } from '../../fuzz/inputs/inputs';
import { mutations } from '../../fuzz/inputs/mutations';
import { runInputs } from '../../fuzz/inputs/run-inputs';
import { runs } from '../etl/run-counts';

test('damaged files are refused as bad, or merged as the decoding merge does, in bounded memory and time', async () => {
  const batches = runs(3, 30);
  const report = await runInputs({ seed: 20261114, from: 0, to: batches * inputsPerBatch, mergedRounds: 1 });
  expect(report.failures).toEqual([]);
  expect(report.untried).toBe(0);
  // Both stages must have refused files, and accepted files of most mutations.
  for (const counts of Object.values(report.counts)) {
    expect([...counts.keys()]).toEqual(expect.arrayContaining(['accepted', 'ETL_CORRUPT', 'ETL_TRUNCATED']));
    expect(counts.get('accepted')?.size).toBeGreaterThan(mutations.length / 3);
  }
});
