import { clusterId } from '../../etl/cluster-id';
import { summarizeGeneration } from '../../operator/generations';
import {
  acceptedSource,
  dayWindow,
  decided,
  generation,
  membership,
  quarantinedSource,
} from '../federation/made-up';

it('counts only what concerns included clusters', () => {
  const of = (cluster: string) => ({
    quarantined: [
      quarantinedSource(cluster, dayWindow(1)),
      quarantinedSource(cluster, dayWindow(2), { dropped: decided }),
    ],
    accepted: [acceptedSource(cluster, dayWindow(3))],
    notices: [{ cluster: clusterId(cluster), code: 'WINDOW_IN_FUTURE' as const, count: 1, example: 'x' }],
  });
  const members = membership(['in'], { excluded: { [clusterId('out')]: { by: 'person', reason: '' } } });
  const [included, excluded] = [of('in'), of('out')];
  const listed = generation({}, members, {
    quarantined: [...included.quarantined, ...excluded.quarantined],
    accepted: [...included.accepted, ...excluded.accepted],
    notices: [...included.notices, ...excluded.notices],
  });
  const once = { quarantined: 1, dropped: 1, accepted: 1, notices: 1 };
  expect(summarizeGeneration(listed)).toMatchObject(once);
});
