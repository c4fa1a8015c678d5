import { parseArgs } from 'node:util';
import { findTemporal } from '../scripts/set-up/temporal-cli';
import { variables } from '../test/servers/paths';
import { findVersitygw } from '../test/servers/versitygw';
import { type Breakage, breakages } from './breakages';
import { describeReport } from './report';
import { runChaos, usualIntensity } from './run-chaos';

const usage =
  'usage: npm run chaos -- [--rounds N] [--seed S] [--store folder|s3] [--seconds N] ' +
  `[--patience SECONDS] [--break ${Object.keys(breakages).join('|')}]`;

/**
 * `npm run chaos`: runs a federation, disturbs it, and checks that nothing is torn, mixed, lost or stuck. Exits with
 * status 1 if anything is. With `--break`, builds a defect into a copy of the program, and exits with status 1 if the
 * defect is not noticed.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      store: { type: 'string' },
      seconds: { type: 'string', default: '20' },
      patience: { type: 'string' },
      break: { type: 'string' },
    },
  });
  const name = values.break;
  const all: ReadonlyMap<string, Breakage> = new Map(Object.entries(breakages));
  const breakage = name === undefined ? undefined : all.get(name);
  const store = values.store ?? breakage?.store ?? 'folder';
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  // A defect usually shows as a state that never comes, so it is not awaited as long.
  const usualPatience = breakage === undefined ? 180 : 90;
  const isNumber = [rounds, seconds, Number(values.patience ?? usualPatience)].every(
    (number) => Number.isInteger(number) && number > 0,
  );
  if ((store !== 'folder' && store !== 's3') || !isNumber || (name !== undefined && breakage === undefined)) {
    console.error(usage);
    return 2;
  }
  const say = (line: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
  const temporal = await findTemporal({ say, useAddress: false });
  if (temporal.kind !== 'binary') throw new Error('Chaos needs a Temporal server that it can kill.');
  if (store === 's3') process.env[variables.versitygw] ??= await findVersitygw({ say });
  const command = `npm run chaos -- --rounds ${rounds} --seed ${values.seed} --store ${store} --seconds ${seconds}`;
  const report = await runChaos({
    seed: values.seed,
    rounds,
    roundMs: seconds * 1000,
    store,
    intensity: usualIntensity(seconds * 1000),
    temporalCli: temporal.path,
    edits: breakage?.edits,
    faults: breakage?.faults,
    patienceMs: Number(values.patience ?? usualPatience) * 1000,
    command: name === undefined ? command : `${command} --break ${name}`,
    say,
  });
  console.log(describeReport(report));
  if (name === undefined) return report.violations.length === 0 ? 0 : 1;
  const by = [...new Set(report.violations.map(({ check }) => check))].join(', ');
  console.log(by === '' ? `NOT NOTICED: ${breakage?.says}` : `noticed by the check ${by}: ${breakage?.says}`);
  return by === '' ? 1 : 0;
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
