import { devDependencies } from '../../package.json';
import { isNewEnough } from '../../scripts/set-up/project-node.cjs';

test.each(['20.20.2', '22.22.0', '24.4.1'])('Node %s hands over', (version) => {
  expect(isNewEnough(version)).toBe(false);
});

test.each(['24.5.0', '24.21.0', '25.0.0', devDependencies.node])('Node %s runs the program', (version) => {
  expect(isNewEnough(version)).toBe(true);
});
