import { describeReport } from '../../chaos/report';
import { runChaos } from '../../chaos/run-chaos';
import { runs } from '../etl/run-counts';
import { temporalCliPath } from '../servers/paths';
import { describeWithTemporal } from '../servers/temporal';

const intensity = { kills: runs(3, 6), stops: 1, rewrites: 10, memberships: 2, federations: 1, faults: 1 };

/** The short form of `npm run chaos`, which also repeats it with other seeds, more rounds and on S3. */
describeWithTemporal('chaos', () => {
  test('tears, mixes and loses nothing, and nothing is stuck', async () => {
    const report = await runChaos({
      seed: 'npm test',
      rounds: 1,
      roundMs: 15_000,
      store: 'folder',
      intensity,
      temporalCli: temporalCliPath(),
      patienceMs: 300_000,
      command: 'npm test -- test/chaos',
      say: () => undefined,
    });
    expect(`${describeReport(report)}\n`).not.toContain('VIOLATION');
    const kills = [...report.actions.kills.values()].reduce((sum, count) => sum + count, 0);
    expect(kills).toBe(intensity.kills);
    expect(report.rounds).toBe(1);
    expect(report.samples.objects).toBeGreaterThan(0);
  });
});
