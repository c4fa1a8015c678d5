import { windowId } from '../../etl/window';
import { countFound } from '../../federation/found';
import { candidates, dayWindow, file } from './made-up';

test('found windows are counted by pipeline and resolution, in a fixed order', () => {
  const [one, two, three] = [dayWindow(1), dayWindow(2), dayWindow(3)];
  const hourly = windowId({
    pipeline: 'assets',
    resolution: '1h',
    window: { start: 1794614400, end: 1794618000 },
  });
  const twice = { path: `x.${one}`, plain: false, modified: 2_000 };
  const files = [
    file('b', hourly),
    file('b', one),
    file('a', two),
    file('a', one),
    file('a', one, 'v2', twice),
  ];
  const planned = {
    window: two,
    candidate: '',
    sources: [],
    returning: {},
    quarantined: [],
    accepted: [],
    shrunk: [],
    force: false,
    fromBase: false,
  };
  const plan = { windows: [planned], carried: [three, one] };
  const expected = [
    {
      pipeline: 'allocations',
      resolution: '1d',
      planned: 1,
      carried: 2,
      clusters: new Map([
        ['a', { files: 2, planned: 1 }],
        ['b', { files: 1, planned: 0 }],
      ]),
    },
    {
      pipeline: 'assets',
      resolution: '1h',
      planned: 0,
      carried: 0,
      clusters: new Map([['b', { files: 1, planned: 0 }]]),
    },
  ];
  const found = countFound(plan, candidates(files));
  expect(found).toEqual(expected);
  expect([...(found[0]?.clusters.keys() ?? [])]).toEqual(['a', 'b']);
});
