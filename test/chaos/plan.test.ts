import { type Action, type PlannedAction, type PlanOptions, planRounds } from '../../chaos/plan';

const options: PlanOptions = {
  seed: '1',
  rounds: 40,
  roundMs: 20_000,
  intensity: { kills: 10, stops: 2, rewrites: 14, memberships: 3, federations: 2, faults: 2 },
  targets: [
    { name: 'a', role: 'agent' },
    { name: 'f', role: 'federator' },
    { name: 'temporal', role: 'temporal' },
  ],
  clusters: ['a', 'b', 'p'],
  primary: 'p',
  windows: ['w1', 'w2'],
  faults: ['away', 'full', 'slow'],
  stopMs: [6_000, 9_000],
};

/** Returns the actions of one kind, with their times. */
function ofKind<Kind extends Action['kind']>(round: readonly PlannedAction[], kind: Kind) {
  return round.flatMap(({ atMs, action }) =>
    action.kind === kind ? [{ atMs, ...(action as Extract<Action, { kind: Kind }>) }] : [],
  );
}

describe('a plan of chaos', () => {
  const rounds = planRounds(options);

  test('is the same for the same seed, and another one for another seed', () => {
    expect(planRounds(options)).toEqual(rounds);
    expect(planRounds({ ...options, seed: '2' })).not.toEqual(rounds);
  });

  test('begins with the plan of fewer rounds', () =>
    expect(planRounds({ ...options, rounds: 3 })).toEqual(rounds.slice(0, 3)));

  test('has as many actions of each kind as it is asked for, in the order of their times', () => {
    for (const round of rounds) {
      expect(ofKind(round, 'kill')).toHaveLength(10);
      expect(ofKind(round, 'stop')).toHaveLength(2);
      expect(ofKind(round, 'rewrite')).toHaveLength(14);
      expect(ofKind(round, 'fault')).toHaveLength(2);
      const times = round.map(({ atMs }) => atMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  test('kills and stops every process, and injects every fault', () => {
    const all = rounds.flat();
    for (const { name } of options.targets) {
      expect(ofKind(all, 'kill').some(({ target }) => target === name)).toBe(true);
      expect(ofKind(all, 'stop').some(({ target }) => target === name)).toBe(true);
    }
    for (const name of options.faults)
      expect(ofKind(all, 'fault').some(({ fault }) => fault === name)).toBe(true);
  });

  test('has one fault of the store at a time', () => {
    for (const round of rounds) {
      const [first, second] = ofKind(round, 'fault');
      expect((first?.atMs ?? 0) + (first?.forMs ?? 0)).toBeLessThanOrEqual(second?.atMs ?? 0);
      expect((second?.atMs ?? 0) + (second?.forMs ?? 0)).toBeLessThanOrEqual(options.roundMs);
    }
  });

  test('excludes two clusters at most, and includes only excluded ones', () => {
    const excluded = new Set<string>();
    for (const { action } of rounds.flat()) {
      if (action.kind === 'include') expect(excluded.delete(action.cluster)).toBe(true);
      if (action.kind !== 'exclude' && action.kind !== 'exclude in a run') continue;
      expect(excluded.has(action.cluster)).toBe(false);
      expect(excluded.add(action.cluster).size).toBeLessThanOrEqual(2);
    }
  });

  test('writes the files of the primary at once, because a pull may replace them at any time', () => {
    const how = new Set(
      ofKind(rounds.flat(), 'rewrite').map((one) => `${one.cluster === 'p' ? 'p' : 'other'} ${one.how}`),
    );
    expect([...how].sort()).toEqual(['other at once', 'other slowly', 'p at once']);
  });
});
