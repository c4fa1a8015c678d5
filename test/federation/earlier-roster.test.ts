import { type EarlierRoster, startingExclusions } from '../../federation/earlier-roster';

const at = '2026-11-01T00:00:00.000Z';
const excluded = (...clusters: string[]) =>
  Object.fromEntries(clusters.map((cluster) => [cluster, { reason: '', at }]));
const bucket = 'the bucket';
const earlier: EarlierRoster = {
  id: 'second',
  bucket,
  follows: { generation: 5, roster: 'first' },
  exclusions: excluded('c3'),
  primaries: [],
  loaded: true,
};
const start = (follows: EarlierRoster['follows'], changes: Partial<EarlierRoster> = {}, where = bucket) =>
  Object.keys(startingExclusions(where, { exclusions: excluded('c2'), follows }, { ...earlier, ...changes }));

describe('a new roster starts with', () => {
  it('what the one that ended knew, if that one decided last', () => {
    expect(start({ generation: 9, roster: 'second' })).toEqual(['c3']);
    expect(start({ generation: 5, roster: 'first' })).toEqual(['c3']);
    expect(start(undefined)).toEqual(['c3']);
  });

  it('what the newest generation says, if another roster has decided since', () => {
    expect(start({ generation: 9, roster: 'third' })).toEqual(['c2']);
    expect(start({ generation: 6, roster: 'first' })).toEqual(['c2']);
    expect(start(undefined, {}, 'another bucket')).toEqual(['c2']);
  });

  it('both, if the one that ended had not read the newest generation', () => {
    expect(start(undefined, { loaded: false })).toEqual(['c2', 'c3']);
  });
});
