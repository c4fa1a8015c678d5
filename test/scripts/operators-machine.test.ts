import { writeFileSync } from 'node:fs';
import { clusterId } from '../../etl/cluster-id';
import { clearSettings } from '../servers/clear-environment';
import { FederationFolder, noTemporal } from './federation-folder';
import { runMain } from './run-main';

const day = 'allocations/1d/1794614400-1794700800';

let federation: FederationFolder;
clearSettings();
beforeEach(async () => {
  federation = await FederationFolder.create();
  await federation.push('cluster-1', day);
  await federation.push('cluster-2', day);
  await federation.commit(1, ['cluster-1'], [day], {
    excluded: { [clusterId('cluster-2')]: { by: 'settings', reason: 'the settings exclude it' } },
    scope: { exclude: ['cluster-2'] },
  });
  const settings = { storage: { configFile: 'federated-store.yaml' }, temporal: noTemporal };
  writeFileSync(federation.settings, JSON.stringify(settings));
});
afterEach(() => federation[Symbol.asyncDispose]());

const run = (...argv: string[]) => runMain(...argv, '--config', federation.settings);

describe("a machine that is no cluster's", () => {
  it.each([
    ['status'],
    ['runs'],
    ['generations'],
    ['quarantine'],
    ['verify'],
    ['diff 1'],
    ['federate --dry-run'],
    ['exclude cluster-1 --dry-run'],
    ['backups --cluster cluster-1'],
  ])('needs no cluster id for %s', async (line) => {
    expect(await run(...line.split(' '))).toMatchObject({
      status: 0,
      err: expect.not.stringMatching(/clusterId|cluster id/),
    });
  });

  it('sees with `doctor` what a machine without a role needs', async () => {
    const { out } = await run('doctor', '--json');
    const { checks } = JSON.parse(out) as { checks: { check: string; subject: string; outcome: string }[] };
    expect(checks).toContainEqual(expect.objectContaining({ subject: 'cluster id', outcome: 'not needed' }));
    expect(checks.filter(({ check, outcome }) => check !== 'Temporal' && outcome === 'failed')).toEqual([]);
  });

  it('plans with the settings of the federator, which are not its own', async () => {
    const { status, out } = await run('federate', '--dry-run', '--force', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ clusters: ['cluster-1'], base: 1 });
  });

  it.each([
    ['backups'],
    ['restore 2026-11-20T00-00-00-000Z'],
    ['primary status'],
    ['primary leave --dry-run'],
  ])('learns from %s how to name the cluster', async (line) => {
    expect(await run(...line.split(' '))).toMatchObject({
      status: 2,
      out: '',
      err: expect.stringMatching(
        /^SETTINGS_INVALID: .* about one cluster.*\n {2}Name the cluster with --cluster/,
      ),
    });
  });
});
