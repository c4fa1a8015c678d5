import type { Measure } from '../../etl/measure';
import { describeChange } from '../../federation/measure';
import { judge, type Verdict } from '../../federation/shrinkage';
import { measureWith } from '../etl/build-records';

const hour = 3_600;
const rules = { closedAfter: 48 * hour, shrinkage: 0.5 };
const end = 1_794_700_800;
const [young, closed] = [end + 48 * hour, end + 48 * hour + 1];

function day(records: number, cpuCoreHours = records, more: Partial<Measure['hours']> = {}): Measure {
  return measureWith(records, { cpuCoreHours, ramByteHours: records * 4e9, ...more });
}

/**
 * Judges successive versions of one file. For each version, `judge` also gets the last version that was not quarantined
 * (`standing`) and the verdict on that version (`remembered`).
 */
function judgeAll(...versions: (readonly [Measure, number])[]): string[] {
  let standing: Measure | undefined;
  let remembered: Extract<Verdict, { largest: Measure }> | undefined;
  return versions.map(([measure, now]) => {
    const verdict = judge({ end, now, rules, measure, standing, remembered });
    const isBad = verdict.kind === 'emptied' || (verdict.kind === 'shrunk' && verdict.closed);
    if (!isBad) {
      standing = measure;
      remembered = 'largest' in verdict ? verdict : undefined;
    }
    return isBad ? 'quarantined' : verdict.kind === 'shrunk' ? 'named' : verdict.kind;
  });
}

test.each<[string, Measure, Measure]>([
  ['records', day(45), day(22, 45)],
  ['core hours', day(45), day(45, 22)],
  ['GB hours of RAM', day(45), { ...day(45), hours: { ...day(45).hours, ramByteHours: 1 } }],
  ['GPU hours', day(45, 45, { gpuHours: 8 }), day(45)],
  ['GB hours of disks', day(45, 45, { diskByteHours: 8e9 }), day(45, 45, { diskByteHours: 3.9e9 })],
])('more than half of the %s lost: quarantined if the window is closed, named if it is young', (_, a, b) => {
  expect(judgeAll([a, closed], [b, closed])).toEqual(['ok', 'quarantined']);
  expect(judgeAll([a, young], [b, young])).toEqual(['ok', 'named']);
});

test.each<[string, [Measure, number][], string[]]>([
  ['a first file', [[day(2), closed]], ['ok']],
  [
    'exactly half',
    [
      [day(40), closed],
      [day(20), closed],
    ],
    ['ok', 'smaller'],
  ],
  [
    'a small cluster',
    [
      [day(19), closed],
      [day(2), closed],
    ],
    ['ok', 'smaller'],
  ],
  [
    'a cluster that grows',
    [
      [day(45), closed],
      [day(90), closed],
    ],
    ['ok', 'ok'],
  ],
  [
    'the same again',
    [
      [day(45), closed],
      [day(45), closed],
    ],
    ['ok', 'ok'],
  ],
  [
    'reconciled costs, which are no part of a measure, and rounding errors',
    [
      [day(45, 0.1 + 0.2), closed],
      [day(45, 0.3), closed],
    ],
    ['ok', 'ok'],
  ],
  [
    'a first push that grows',
    [
      [day(3), young],
      [day(20), young],
      [day(45), closed],
    ],
    ['ok', 'ok', 'ok'],
  ],
  [
    'a day of 23 hours, or one that was written short by an hour',
    [
      [day(45, 48), closed],
      [day(45, 46), closed],
    ],
    ['ok', 'smaller'],
  ],
  [
    'no records',
    [
      [day(3), young],
      [day(0), young],
    ],
    ['ok', 'quarantined'],
  ],
  [
    'a restart after midnight, and the whole file afterwards',
    [
      [day(45), young],
      [day(2), young],
      [day(45), young],
    ],
    ['ok', 'named', 'ok'],
  ],
  [
    'a young window that stays short: what stands when it closes is what counts',
    [
      [day(60), young],
      [day(21), young],
      [day(21, 20), closed],
      [day(11), closed],
      [day(8), closed],
    ],
    ['ok', 'named', 'smaller', 'smaller', 'quarantined'],
  ],
  [
    'a young window that is still less than half',
    [
      [day(45), young],
      [day(10), young],
      [day(20), young],
      [day(30), young],
    ],
    ['ok', 'named', 'named', 'ok'],
  ],
  [
    'a closed window that shrinks step by step',
    [
      [day(45), closed],
      [day(30), closed],
      [day(23), closed],
      [day(22), closed],
      [day(23), closed],
    ],
    ['ok', 'smaller', 'smaller', 'quarantined', 'smaller'],
  ],
  [
    'a file that comes back: A, B, A',
    [
      [day(45), closed],
      [day(2), closed],
      [day(45), closed],
    ],
    ['ok', 'quarantined', 'ok'],
  ],
])('%s', (_, versions, verdicts) => {
  expect(judgeAll(...versions)).toEqual(verdicts);
});

test('the setting says how much may be lost', () => {
  const lost = (shrinkage: number) =>
    judge({
      ...{ end, now: closed, rules: { ...rules, shrinkage }, remembered: undefined },
      ...{ standing: day(100), measure: day(60) },
    }).kind;
  expect([0.3, 0.4, 1].map(lost)).toEqual(['shrunk', 'smaller', 'smaller']);
});

test('a change is described with its numbers', () => {
  expect(describeChange(day(45, 120.46, { diskByteHours: 1.5e12 }), day(2, 0.03))).toBe(
    'records 45 → 2, core hours 120 → 0.03, GB hours of RAM 180 → 8, GB hours of disks 1500 → 0',
  );
});
