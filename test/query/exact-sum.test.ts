import { DuckDBInstance } from '@duckdb/node-api';
import { exactSum, sortedSum } from '../../query/exact-sum';

/**
 * SQL that generates the numbers that the tests sum up. They are large and small, positive and negative. There are
 * enough numbers to occupy several threads.
 */
const numbers = `select i, i % 7 as part, (hash(i) % 1000003 / 1000003.0::double - 0.3) * pow(10, i % 9 - 4) as value from range(400000) t(i)`;

/**
 * Computes one sum for each value of the column `part`. Returns the bits of all sums in hexadecimal, so that even a
 * difference in the last bit is visible.
 */
async function sums(sql: string, { threads, order }: { threads: number; order: string }): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
  const connection = await instance.connect();
  try {
    await connection.run(`create table number as ${numbers}`);
    await connection.run(`create table given as select * from number order by ${order}`);
    const reader = await connection.runAndReadAll(
      `select part, ${sql} from given group by part order by part`,
    );
    const found = reader.getRowsJS().map(([, sum]) => Number(sum));
    return Buffer.from(Float64Array.from(found).buffer).toString('hex');
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const ways = [
  { threads: 1, order: 'i' },
  { threads: 1, order: 'i desc' },
  { threads: 1, order: 'hash(i)' },
  { threads: 2, order: 'i' },
  { threads: 2, order: 'value' },
];

/** Upper bound on the absolute values of `numbers`: each is at most 0.7 times a power of ten up to 10⁴. */
const most = 7_000;

it.each([
  ['exact sums', exactSum('value', most)],
  ['exact sums of products', exactSum('value * 0.37', most * 0.37)],
  ['sorted sums', sortedSum('value')],
])('%s are the same in any order, with any number of threads', async (_, sql) => {
  const found = [];
  for (const way of ways) found.push(await sums(sql, way));
  expect(new Set(found).size).toBe(1);
});

it('plain sums differ, so the numbers are able to show it', async () => {
  const found = [];
  for (const way of ways) found.push(await sums('sum(value)', way));
  expect(new Set(found).size).toBeGreaterThan(1);
});

/**
 * Computes a sum without rounding errors in the additions: converts the values to integers in units of 2⁻⁶⁰, and adds
 * up the integers.
 */
function trueSum(values: readonly number[]): number {
  const scale = 2 ** 60;
  const whole = values.reduce((sum, value) => sum + BigInt(Math.round(value * scale)), 0n);
  return Number(whole) / scale;
}

it.each([
  ['few', [0.1, 0.2, 0.3]],
  ['one', [1234.56789]],
  ['values that cancel out', [1e6, 1e-7, -1e6]],
  ['many', Array.from({ length: 5_000 }, (_, index) => Math.sin(index) * 10 ** (index % 6))],
  ['zeros', [0, 0]],
  ['very small values', [1e-280, 2e-280]],
  ['very large values', [1e290, 2e290]],
])('sums are correct: %s', async (_, values) => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const largest = Math.max(...values.map(Math.abs));
  const reader = await connection.runAndReadAll(
    `select ${exactSum('value', largest)} from (select unnest([${values.join()}]::double[]) as value)`,
  );
  connection.closeSync();
  instance.closeSync();
  const found = Number(reader.getRowsJS()[0]?.[0]);
  const expected =
    largest < 1e-200 || largest > 1e200 ? values.reduce((sum, one) => sum + one, 0) : trueSum(values);
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(values.length * largest * 2 ** -51);
});

it('the sum of no values is null', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `select ${exactSum('value', 1)}, ${exactSum('value', 0)} from (select null::double as value)`,
  );
  connection.closeSync();
  instance.closeSync();
  expect(reader.getRowsJS()).toEqual([[null, null]]);
});
