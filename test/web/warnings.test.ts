import { warningsOf } from '../../web/warnings';

describe('warnings of several answers', () => {
  it('are one sentence each, without duplicates', () => {
    expect(
      warningsOf([
        'The idle of c1 is not known; Clusters lack data: c2.',
        undefined,
        'Clusters lack data: c2.',
      ]),
    ).toEqual(['The idle of c1 is not known.', 'Clusters lack data: c2.']);
  });

  it('are empty if there were none', () => {
    expect(warningsOf([undefined, ''])).toEqual([]);
  });
});
