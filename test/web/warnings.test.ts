import { warningsOf } from '../../web/warnings';

describe('warnings of several answers', () => {
  it('are a sentence each, and each is there once', () => {
    expect(
      warningsOf([
        'The idle of c1 is not known; Clusters lack data: c2.',
        undefined,
        'Clusters lack data: c2.',
      ]),
    ).toEqual(['The idle of c1 is not known.', 'Clusters lack data: c2.']);
  });

  it('are none where nothing was said', () => {
    expect(warningsOf([undefined, ''])).toEqual([]);
  });
});
