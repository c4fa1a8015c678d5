import fc from 'fast-check';
import { allocationSetsParts } from '../../api/allocation-json';
import { assetSetParts } from '../../api/asset-json';
import { bodyOf } from '../../api/body';
import { allocationCsv, assetCsv } from '../../api/csv';
import { envelope, type Parts, warningText } from '../../api/json';
import { rounded } from '../../api/numbers';
import { summaryParts, toplineParts } from '../../api/summary-json';
import type { AllocationRow, AssetRow } from '../../query/answer';
import { measures } from '../../query/measures';

const window = { start: 1_794_614_400, end: 1_794_700_800 };
const text = (parts: Parts) => [...parts].join('');

function allocation(name: string, other: Partial<AllocationRow> = {}): AllocationRow {
  return {
    ...(Object.fromEntries(measures.map((measure) => [measure, 0])) as Record<
      (typeof measures)[number],
      number
    >),
    name,
    properties: { cluster: 'c1' },
    window,
    start: window.start,
    end: window.end,
    pvs: null,
    lbAllocations: null,
    gpuAllocation: null,
    rawAllocationOnly: null,
    ...other,
  };
}

const answer = (rows: AllocationRow[]) => ({
  sets: [{ window, rows }],
  window,
  warnings: [],
});

const base = { properties: {}, labels: {}, window, ...window, adjustment: 0, totalCost: 1 };
const disk: AssetRow = {
  ...base,
  type: 'Disk',
  key: 'd',
  byteHours: 24,
  byteHoursUsed: null,
  byteUsageMax: null,
  breakdown: { idle: 1, other: 0, system: 0, user: 0 },
  storageClass: '',
  volumeName: '',
  claimName: '',
  claimNamespace: '',
};

describe('numbers', () => {
  it.each([
    [1.2345678, '1.23457'],
    [0.000004, '0'],
    [-0.000004, '0'],
    [-0, '0'],
    [NaN, 'null'],
    [Infinity, 'null'],
    [-Infinity, 'null'],
    [1e21, '1e+21'],
    [123_456_789_012.123456, '123456789012.12346'],
  ])('%d is %s', (value, written) => {
    expect(rounded(value, 5)).toBe(written);
  });

  it('are rounded half away from zero', () => {
    expect([2.5, -2.5, 1.5].map((value) => rounded(value, 0))).toEqual(['3', '-3', '2']);
  });

  it('are valid JSON, within half of the last decimal', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const read = JSON.parse(rounded(value, 5)) as number | null;
        if (!Number.isFinite(value)) return read === null;
        if (read === null || Object.is(read, -0)) return false;
        return Math.abs(read - value) <= Math.max(0.5000001e-5, Math.abs(value) * 1e-15);
      }),
    );
  });
});

describe('allocations', () => {
  it('keep the order of the rows, even if names look like numbers', () => {
    const json = text(
      allocationSetsParts([{ window, rows: ['b', '10', '2', ''].map((one) => allocation(one)) }]),
    );
    expect([...json.matchAll(/"name":"([^"]*)"/g)].map(([, name]) => name)).toEqual(['b', '10', '2', '']);
    expect(text(allocationSetsParts([{ window, rows: [] }]))).toBe('[{}]');
  });

  it('have derived members, rounded only at the end', () => {
    const row = allocation('a', {
      cpuCoreHours: 48,
      cpuCost: 1.000004,
      cpuCostAdjustment: 0.000004,
      cpuCoreUsageAverage: 1,
      cpuCoreRequestAverage: 4,
      ramCost: 1,
      ramByteUsageAverage: 5,
      networkCost: 2,
      networkInternetCost: 1,
      pvs: { 'cluster=c1:name=v': { byteHours: 1, cost: 0.1234567, providerID: 'v' } },
      rawAllocationOnly: { cpuCoreUsageMax: 1.2345678, ramByteUsageMax: 2, gpuUsageMax: null },
    });
    const [set] = JSON.parse(text(allocationSetsParts([{ window, rows: [row] }]))) as Record<
      string,
      object
    >[];
    expect(set?.['a']).toMatchObject({
      minutes: 1_440,
      start: '2026-11-14T00:00:00Z',
      cpuCores: 2,
      cpuCost: 1,
      // Two of the costs are 0.000004. Each of them would be rounded to 0, but their sum is rounded to 0.00001.
      totalCost: 4.00001,
      cpuEfficiency: 0.25,
      ramEfficiency: 1,
      pvs: { 'cluster=c1:name=v': { cost: 0.1234567, adjustment: 0 } },
      rawAllocationOnly: { cpuCoreUsageMax: 1.2345678 },
      lbAllocations: null,
      gpuAllocation: null,
    });
  });

  it('without duration have no infinite rates', () => {
    const row = allocation('a', { end: window.start, cpuCoreHours: 1, pvByteHours: 1, cpuCost: NaN });
    const json = text(allocationSetsParts([{ window, rows: [row] }]));
    expect(json).toContain('"cpuCores":0,');
    expect(json).toContain('"cpuCost":null');
    expect(() => void JSON.parse(json)).not.toThrow();
  });
});

describe('summaries', () => {
  it('include or exclude adjustments, and have a complete total even without rows', () => {
    const rows = [
      allocation('a', { cpuCost: 1, cpuCostAdjustment: 0.5 }),
      allocation('b', { sharedCost: 2 }),
    ];
    const total = (adjusted: boolean, some = rows) =>
      (
        JSON.parse(text(toplineParts(answer(some), adjusted))) as {
          combined: { allocations: { total: Record<string, number> } };
        }
      ).combined.allocations.total;
    expect(total(true)).toMatchObject({ cpuCost: 1.5, totalCost: 3.5 });
    expect(total(false)).toMatchObject({ cpuCost: 1, totalCost: 3 });
    expect(Object.keys(total(true, [])).sort()).toEqual(Object.keys(total(true)).sort());
    expect(JSON.parse(text(summaryParts(answer([]), true)))).toMatchObject({
      step: 86_400_000_000_000,
      sets: [{ allocations: {} }],
    });
  });
});

describe('assets', () => {
  it('have all members of their type, and no type if there are several', () => {
    const rows = [disk, { ...base, type: 'Any' as const, key: 'both' }];
    const set = JSON.parse(text(assetSetParts({ window, rows }))) as Record<string, Record<string, unknown>>;
    expect(set['d']).toMatchObject({
      type: 'Disk',
      bytes: 1,
      byteHoursUsed: null,
      byteUsageMax: null,
      storageClass: '',
      labels: {},
      properties: {},
      breakdown: { idle: 1, other: 0, system: 0, user: 0 },
    });
    expect(set['both']).not.toHaveProperty('type');
    expect(set['both']).toMatchObject({ adjustment: 0, totalCost: 1, minutes: 1_440 });
  });
});

describe('CSV', () => {
  it('escapes formulas of spreadsheets, but not negative numbers', () => {
    const rows = ['=1+1', '+x', '-x', '@x', '\tx', '＝x', '＋x', '－x', '＠x', 'a,"b"'].map((name) =>
      allocation(name, { cpuCost: -1.5 }),
    );
    rows[0] = allocation('=1+1', { properties: { labels: { app: '=cmd' } }, cpuCost: -1.5 });
    const csv = text(allocationCsv(answer(rows), ['app']));
    for (const name of ["'=1+1", "'+x", "'-x", "'@x", "'\tx", "'＝x", "'＋x", "'－x", "'＠x", '"a,""b"""'])
      expect(csv).toContain(`Z,${name},`);
    expect(csv).toContain(",'=cmd,");
    expect(csv).toContain(',-1.5,');
    expect(csv).not.toContain("'-1.5");
  });

  it.each(['constructor', 'toString', 'hasOwnProperty'])(
    'has an empty column of a missing label %s',
    (key) => {
      const row = allocation('a', { properties: { labels: { app: 'web' } } });
      const allocations = text(allocationCsv(answer([row]), [key])).split('\n');
      const assets = text(assetCsv({ sets: [{ window, rows: [disk] }], window, warnings: [] }, [key])).split(
        '\n',
      );
      for (const [header = '', line = ''] of [allocations, assets])
        expect(line.split(',')[header.split(',').indexOf(`label:${key}`)]).toBe('');
    },
  );

  it('has the columns of all types, empty where a type lacks one', () => {
    const csv = text(assetCsv({ sets: [{ window, rows: [disk] }], window, warnings: [] }, ['app']));
    const [header = '', line = ''] = csv.split('\n').map((row) => row.split(','));
    const cell = (name: string) => line[header.indexOf(name)];
    expect([
      cell('bytes'),
      cell('byteHoursUsed'),
      cell('cpuCost'),
      cell('label:app'),
      cell('totalCost'),
    ]).toEqual(['1', '', '', '', '1']);
  });

  it('has one line per row for very many rows', () => {
    const rows = Array.from({ length: 1_201 }, (_, index) => allocation(`a${index}`));
    expect(
      text(allocationCsv(answer(rows), []))
        .trim()
        .split('\n'),
    ).toHaveLength(1_202);
  });
});

describe('a body', () => {
  it('is built from its parts without blocking others, until the client leaves', async () => {
    const part = 'ä'.repeat(1_000);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const slow = function* (): Parts {
      for (let index = 0; index < 400; index++) {
        const until = performance.now() + 0.3;
        while (performance.now() < until);
        yield part;
      }
    };
    const body = await bodyOf(slow(), { signal: new AbortController().signal, megabytes: 1 });
    clearInterval(timer);
    expect(body.toString()).toBe(part.repeat(400));
    expect(turns).toBeGreaterThan(1);
    await expect(
      bodyOf(slow(), { signal: AbortSignal.abort(new Error('gone')), megabytes: 1 }),
    ).rejects.toThrow('gone');
  });

  it('is refused if it has more megabytes than it may', async () => {
    const endless = function* (): Parts {
      for (;;) yield 'ä'.repeat(1_000);
    };
    const limits = { signal: new AbortController().signal, megabytes: 1 };
    await expect(bodyOf(endless(), limits)).rejects.toMatchObject({
      code: 'QUERY_TOO_LARGE',
      detail: 'The answer is larger than api.limits.megabytes allows, 1 MB.',
    });
  });
});

it('warnings are joined into one text', () => {
  expect(warningText([])).toBe('');
  expect(warningText(['One.', 'Two.'])).toBe('One; Two.');
  expect(envelope('[]', ['One.'])).toBe('{"code":200,"status":"success","data":[],"warning":"One."}');
});
