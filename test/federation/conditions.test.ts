import {
  conditionOf,
  conditionsOfRoles,
  type Finding,
  freshFor,
  isNearlyFull,
  judge,
  judgeFreshness,
  parseConditions,
  type RoleName,
  unjudged,
} from '../../federation/conditions';

const roles = Object.keys(conditionsOfRoles) as RoleName[];
const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 10, minute)).toISOString();
const away: Finding = { holds: 'no', reason: 'It is away.' };
const found: Readonly<Record<string, Finding>> = { y: { holds: 'yes' }, n: away, u: { holds: 'unknown' } };

/**
 * Judges a condition once a minute. Each letter of `looks` is a finding: the condition holds (`y`), does not hold
 * (`n`), or is unknown (`u`). Returns each judgement and the minute since which it stands. For example, `n3` means that
 * the condition has not held since minute 3.
 */
function after(looks: string): string {
  let [judged] = unjudged(['federator'], at(0));
  return [...looks]
    .map((look, index) => {
      if (judged === undefined) throw new Error('a federator has conditions');
      judged = judge(judged, found[look] ?? away, at(index + 1));
      return `${judged.holds[0] ?? ''}${new Date(judged.since).getUTCMinutes()}`;
    })
    .join(' ');
}

test('a condition holds after one look, and stops holding only when two looks in a row say so', () => {
  expect(after('yy')).toBe('y1 y1');
  expect(after('nn')).toBe('u0 n1');
  expect(after('ynyny')).toBe('y1 y1 y1 y1 y1');
  expect(after('ynnny')).toBe('y1 y1 n2 n2 y5');
  expect(after('nnuny')).toBe('u0 n1 n1 n1 y5');
  expect(after('yunnuuy')).toBe('y1 y1 y1 n3 n3 u5 y7');
});

test('a reason is one short line, and goes when the condition holds', () => {
  const [before] = unjudged(['federator'], at(0));
  if (before === undefined) throw new Error('a federator has conditions');
  const long: Finding = { holds: 'no', reason: `two\nlines ${'x'.repeat(1_000)}` };
  const judged = judge(judge(before, long, at(1)), long, at(2));
  expect(judged.reason).toMatch(/^two lines x+…$/);
  expect(judged.reason).toHaveLength(500);
  const healed = conditionOf(judge(judged, { holds: 'yes' }, at(3)));
  expect(healed).toEqual({ role: 'federator', name: 'temporal', holds: 'yes', since: at(3) });
});

test('a report is read as far as it has conditions, each once', () => {
  const own = unjudged(roles, at(0));
  expect(parseConditions(own)).toEqual(own);
  const [one] = own;
  expect(parseConditions([one, one, { ...one, extra: 1 }])).toEqual([one]);
  for (const bad of [
    null,
    7,
    'x',
    {},
    [null],
    [{ ...one, role: '__proto__' }],
    [{ ...one, name: 'roster' }],
    [{ ...one, holds: 'perhaps' }],
    [{ ...one, since: 'long ago' }],
  ])
    expect(parseConditions(bad)).toEqual([]);
});

test('something is fresh for three intervals, and the reason has the last failure', () => {
  const limitMs = freshFor(1_800_000, 900_000);
  const last = Date.parse(at(0));
  const judged = (now: number) => judgeFreshness({ last, limitMs, what: 'No push', why: 'It failed.' }, now);
  expect(judged(last + limitMs)).toEqual({ holds: 'yes' });
  expect(judged(last + limitMs + 1)).toEqual({
    holds: 'no',
    reason: 'No push has succeeded since 2026-11-20T10:00:00.000Z. It failed.',
  });
  expect(freshFor(60_000, 900_000)).toBe(900_000);
  expect(judgeFreshness({ last: undefined, limitMs, what: 'No push' }, last)).toEqual({ holds: 'unknown' });
});

test('a volume is nearly full if little of it is free, in bytes and as a part', () => {
  const MiB = 2 ** 20;
  expect(isNearlyFull({ size: 100 * 1024 * MiB, free: 600 * MiB })).toBe(false);
  expect(isNearlyFull({ size: 100 * 1024 * MiB, free: 500 * MiB })).toBe(true);
  expect(isNearlyFull({ size: 1024 * MiB, free: 60 * MiB })).toBe(false);
  expect(isNearlyFull({ size: 1024 * MiB, free: 50 * MiB })).toBe(true);
});
