import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { dumpSet } from '../etl/dump';
import { instantText } from '../etl/instant';
import { largestWindow } from '../etl/largest-window';
import type { TimeWindow } from '../etl/model';
import type { NotFinite } from '../etl/not-finite';
import { visibleText } from '../etl/visible-text';
import type { Pipeline } from '../etl/window';
import { federatedPrefix } from '../federation/layout';
import { decodeEtlFile, readLocalEtlFile } from '../operator/read-etl-file';
import { type SetSummary, summarizeSet } from '../operator/summarize-set';
import { readAll } from '../storage/read-all';
import { type CommandOptions, openContext } from './context';
import { print, printJson } from './output';
import { formatTable } from './table';

interface InspectOptions extends CommandOptions {
  json?: boolean;
  pipeline?: Pipeline;
}

const topRecords = 10;

/** Prints the content of an ETL file. */
export async function inspect(file: string, command: Command): Promise<void> {
  const options = command.optsWithGlobals<InspectOptions>();
  const isKey = file.startsWith(federatedPrefix) && !existsSync(file);
  const bytes = isKey ? await readFromBucket(file, options) : await readLocalEtlFile(file);
  const set = decodeEtlFile(file, bytes, options.pipeline);
  if (options.json) printJson(dumpSet(set, { codecVersions: true }));
  else show(summarizeSet(set, topRecords));
}

async function readFromBucket(key: string, options: CommandOptions): Promise<Uint8Array> {
  await using context = openContext(options);
  return (await readAll(await context.bucket(), key, { maxBytes: largestWindow })).bytes;
}

function show(summary: SetSummary): void {
  const { notFinite } = summary;
  const currency = `in the currency of the cluster${notFinite.length > 0 ? '; numbers that are not finite count as 0' : ''}`;
  const facts: [string, string][] = [
    ['pipeline', summary.pipeline],
    ['window', windowText(summary.window)],
    ['codec versions', versionsText(summary.codecVersions)],
    ['clusters', summary.clusters.map(visibleText).join(', ') || 'none named'],
    ['records', String(summary.records)],
    ['total cost', `${summary.totalCost.toFixed(2)} (${currency})`],
    ...(notFinite.length > 0 ? [['not finite', notFiniteText(notFinite)] satisfies [string, string]] : []),
    ...summary.warnings.map((text): [string, string] => ['warning', visibleText(text)]),
    ...summary.errors.map((text): [string, string] => ['error', visibleText(text)]),
  ];
  for (const [name, value] of facts) print(`${name.padEnd(16)}${value}`);
  showCostliest(summary);
}

function showCostliest({ costliest, records }: SetSummary): void {
  if (costliest.length === 0) return;
  print();
  if (records > costliest.length) print(`The ${costliest.length} costliest of ${records} records:`);
  const costs = costliest.map(({ cost }) => cost.toFixed(4));
  const width = Math.max(...costs.map((cost) => cost.length));
  const rows = costliest.map(({ record }, index) => [costs[index]?.padStart(width), record]);
  print(...formatTable(['cost', 'record'], rows));
}

/**
 * Describes the NaN and infinite numbers in a file: first their total count, then the count for each field of each
 * cluster.
 */
function notFiniteText(found: readonly NotFinite[]): string {
  const clusters = [...Map.groupBy(found, ({ cluster }) => cluster)].map(([cluster, ofCluster]) => {
    const fields = ofCluster.map(({ field, numbers }) => `${field} (${numbers})`).join(', ');
    return `${fields} in ${visibleText(cluster) || 'no named cluster'}`;
  });
  return `${found.reduce((sum, { numbers }) => sum + numbers, 0)}: ${clusters.join('; ')}`;
}

function windowText({ start, end }: TimeWindow): string {
  return `${start ? instantText(start) : 'open'} to ${end ? instantText(end) : 'open'}`;
}

function versionsText({ set, records }: SetSummary['codecVersions']): string {
  const counts = records.map(({ version, records: number }) => `${version} (${number})`).join(', ');
  return `set ${set}${counts === '' ? '' : `; records ${counts}`}`;
}
