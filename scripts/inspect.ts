import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { FederationError, isFederationError } from '../errors/federation-error';
import { displayText } from '../etl/byte-string';
import { recordCost, totalCost } from '../etl/cost';
import { dumpSet } from '../etl/dump';
import { decodeSet } from '../etl/file';
import { instantText } from '../etl/instant';
import { type EtlSet, recordsOf, type TimeWindow } from '../etl/model';
import { type NotFinite, withoutNotFinite } from '../etl/not-finite';
import { recordClusters, recordCount } from '../etl/set-facts';
import { type Pipeline, pipelines } from '../etl/window';
import { federatedPrefix } from '../federation/layout';
import { readAll } from '../storage/read-all';
import { openContext, type CommandOptions } from './context';
import { formatTable, print, printJson } from './output';

interface InspectOptions extends CommandOptions {
  json?: boolean;
  pipeline?: Pipeline;
}

const topRecords = 10;
/** No window of one cluster comes near it; a combined one of thousands may. */
const mostBytes = 2 ** 31;

/** Adds the verb `inspect` to the program. */
export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description('show what an ETL file holds')
    .argument('<file>', 'the ETL file, plain or gzipped: a local one, or a key of the bucket')
    .option('--json', 'print every field as JSON')
    .addOption(pipelineOption())
    .addHelpText(
      'after',
      '\nExamples:\n  federated-etl inspect /var/configs/db/etl/bingen/assets/1d/1794614400-1794700800\n' +
        '  federated-etl inspect federated/cluster-1/etl/bingen/assets/1d/1794614400-1794700800 --json\n',
    )
    .action(async (file: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<InspectOptions>();
      const isKey = file.startsWith(federatedPrefix) && !existsSync(file);
      const bytes = isKey ? await readFromBucket(file, options) : await readLocal(file);
      const set = decodeFile(file, bytes, options.pipeline);
      if (options.json) printJson(dumpSet(set, { codecVersions: true }));
      else print(summary(set));
    });
}

/** `--pipeline`, for files whose path does not say theirs. */
export function pipelineOption(): Option {
  return new Option('--pipeline <pipeline>', 'what the file holds, if its path does not say').choices(
    pipelines,
  );
}

async function readFromBucket(key: string, options: CommandOptions): Promise<Uint8Array> {
  await using context = openContext(options);
  return (await readAll(await context.bucket(), key, { maxBytes: mostBytes })).bytes;
}

/** Reads a local file. */
export async function readLocal(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new FederationError('STORAGE_NOT_FOUND', {
      subject: { key: path },
      detail: `The file cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      hint: 'Give the path of an ETL file, as in etl/bingen/allocations/1d/1794614400-1794700800.',
      cause,
    });
  }
}

/** Decodes a file of the pipeline that is given, or that the folders of its path name, or of either. */
export function decodeFile(path: string, bytes: Uint8Array, pipeline = pipelineOf(path)): EtlSet {
  try {
    return pipeline === undefined ? decodeEither(bytes) : decodeSet(pipeline, bytes);
  } catch (error) {
    throw isFederationError(error) ? error.about({ key: path }) : error;
  }
}

function pipelineOf(path: string): Pipeline | undefined {
  const folders = path.split(/[/\\]/).slice(0, -1).reverse();
  return folders.map((folder) => pipelines.find((pipeline) => pipeline === folder)).find(Boolean);
}

/** When both refuse it, the refusal of the one that got further says more about the file. */
function decodeEither(bytes: Uint8Array): EtlSet {
  const refusals: FederationError[] = [];
  for (const pipeline of pipelines) {
    try {
      return decodeSet(pipeline, bytes);
    } catch (error) {
      if (!isFederationError(error)) throw error;
      refusals.push(error);
    }
  }
  throw refusals.reduce((best, other) =>
    (other.subject.byte ?? 0) > (best.subject.byte ?? 0) ? other : best,
  );
}

function summary(whole: EtlSet): string {
  const { set, found } = withoutNotFinite(whole);
  const currency = `in the currency of the cluster${found.length > 0 ? '; what is not finite counts as 0' : ''}`;
  const facts: [string, string][] = [
    ['pipeline', set.kind],
    ['window', windowText(set.window)],
    ['codec versions', versionsText(set)],
    ['clusters', recordClusters(set).map(printable).join(', ') || 'none named'],
    ['records', String(recordCount(set))],
    ['total cost', `${totalCost(set).toFixed(2)} (${currency})`],
    ...(found.length > 0 ? [['not finite', notFiniteText(found)] satisfies [string, string]] : []),
    ...(set.warnings ?? []).map((text): [string, string] => ['warning', printable(displayText(text))]),
    ...(set.errors ?? []).map((text): [string, string] => ['error', printable(displayText(text))]),
  ];
  return [...facts.map(([name, value]) => `${name.padEnd(16)}${value}`), ...costliest(set)].join('\n');
}

/** How many there are, then the fields of each cluster. */
function notFiniteText(found: readonly NotFinite[]): string {
  const clusters = [...Map.groupBy(found, ({ cluster }) => cluster)].map(([cluster, ofCluster]) => {
    const fields = ofCluster.map(({ field, numbers }) => `${field} (${numbers})`).join(', ');
    return `${fields} in ${printable(cluster) || 'no named cluster'}`;
  });
  return `${found.reduce((sum, { numbers }) => sum + numbers, 0)}: ${clusters.join('; ')}`;
}

/** Without characters that a terminal would obey; a file can hold any. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

function windowText({ start, end }: TimeWindow): string {
  return `${start ? instantText(start) : 'open'} to ${end ? instantText(end) : 'open'}`;
}

/** The version of the set, then how many records are of which. */
function versionsText(set: EtlSet): string {
  const counts = new Map<number, number>();
  for (const record of recordsOf(set)?.values() ?? []) {
    if (record !== null) counts.set(record.version, (counts.get(record.version) ?? 0) + 1);
  }
  const records = [...counts].sort(([a], [b]) => b - a).map(([version, count]) => `${version} (${count})`);
  return [`set ${set.version}`, ...(records.length > 0 ? [`records ${records.join(', ')}`] : [])].join('; ');
}

function costliest(set: EtlSet): string[] {
  const records = [...(recordsOf(set) ?? [])].flatMap(([key, record]) =>
    record === null ? [] : [{ key: printable(displayText(key)), cost: recordCost(record) }],
  );
  if (records.length === 0) return [];
  const top = records.sort((a, b) => b.cost - a.cost).slice(0, topRecords);
  const costs = top.map(({ cost }) => cost.toFixed(4));
  const width = Math.max(...costs.map((cost) => cost.length));
  const rows = top.map(({ key }, index) => [costs[index]?.padStart(width), key]);
  const title =
    records.length > top.length ? [`The ${top.length} costliest of ${records.length} records:`] : [];
  return ['', ...title, formatTable(['cost', 'record'], rows)];
}
