import { lastEnds } from '../../workers/last-federations';

describe('The last federations', () => {
  it('are the newest of each outcome; one that died counts as failed', () => {
    const at = (minute: number) => `2026-11-20T10:0${minute}:00.000Z`;
    const ends = lastEnds([
      { outcome: 'running' },
      { outcome: 'died', endedAt: at(5) },
      { outcome: 'failed', endedAt: at(4) },
      { outcome: 'complete', endedAt: at(2) },
      { outcome: 'complete', endedAt: at(3) },
      { outcome: 'unknown', endedAt: at(6) },
    ]);
    expect(ends).toEqual(
      new Map([
        ['failed', Date.parse(at(5))],
        ['complete', Date.parse(at(3))],
      ]),
    );
  });
});
