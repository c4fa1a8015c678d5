import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rowsOf } from '../../query/database';
import { exportWindow, servedWindows } from '../../query/export';
import { goTotal, readAllocations } from './go-reader';
import { ask, useGoldenServer, window } from './served';

/* Checks that the total cost of five clusters over three days is the same for every client and in every format. */

const golden = useGoldenServer();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'one-total-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Parameters = Record<string, string>;
type Rows = Record<string, { totalCost: number }>;

async function asked(parameters: Parameters) {
  return ask(golden.app, '/model/allocation', { window, accumulate: 'true', ...parameters });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

async function byTotals(parameters: Parameters): Promise<number> {
  const { data } = await asked(parameters);
  return sum(Object.values((data as Rows[])[0] ?? {}).map(({ totalCost }) => totalCost));
}

async function byParts(parameters: Parameters): Promise<number> {
  const [set] = readAllocations((await asked(parameters)).text);
  return sum([...(set?.values() ?? [])].map(goTotal));
}

async function byPages(parameters: Parameters): Promise<number> {
  const rows = new Map<string, number>();
  for (let offset = 0; ; offset += 5) {
    const { data } = await asked({ ...parameters, limit: '5', offset: String(offset) });
    const page = Object.entries((data as Rows[])[0] ?? {});
    if (page.length === 0) return sum([...rows.values()]);
    for (const [name, { totalCost }] of page) rows.set(name, totalCost);
  }
}

async function byCsv(parameters: Parameters): Promise<number> {
  const { text } = await asked({ ...parameters, format: 'csv' });
  const file = path.join(folder, 'answer.csv');
  writeFileSync(file, text);
  return golden.engine.withConnection(async (connection) => {
    const [row] = await rowsOf(connection, `select sum("totalCost") as total from read_csv('${file}')`);
    return Number(row?.['total']);
  });
}

async function byParquet(): Promise<number> {
  return golden.engine.withConnection(async (connection) => {
    for (const one of await servedWindows(connection)) {
      if (one.pipeline !== 'allocations' || one.resolution !== '1d') continue;
      await exportWindow(connection, one.id, 'parquet', path.join(folder, `${one.window.start}.parquet`));
    }
    const [row] = await rowsOf(
      connection,
      `select sum(total_cost) as total from read_parquet('${folder}/*.parquet')`,
    );
    return Number(row?.['total']);
  });
}

const groupings = ['cluster', 'namespace', 'controller', 'pod', 'label:app'];

describe.each([
  ['with idle', 'true', 4099.84],
  ['without idle', 'false', 2645.55],
])('%s', (_, idle, expected) => {
  it.each(groupings)('by %s', async (aggregate) => {
    const parameters = { aggregate, idle };
    const totals = {
      totals: await byTotals(parameters),
      parts: await byParts(parameters),
      pages: await byPages(parameters),
      csv: await byCsv(parameters),
    };
    const cents = Object.fromEntries(Object.entries(totals).map(([name, total]) => [name, total.toFixed(2)]));
    const cost = expected.toFixed(2);
    expect(cents).toEqual({ totals: cost, parts: cost, pages: cost, csv: cost });
  });
});

it('the total without idle is the same in Parquet', async () => {
  expect((await byParquet()).toFixed(2)).toBe('2645.55');
});
