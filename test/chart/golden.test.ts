import { readFileSync } from 'node:fs';
import path from 'node:path';
import { scratchFolder } from '../set-up/scratch';
import { expectGolden } from './golden';
import { readManifests } from './helm';

const scratch = scratchFolder();
const folder = (): string => path.join(scratch(), 'golden');
const text = `
kind: Service
apiVersion: v1
metadata: { name: b, labels: { z: 'on', a: '0440' } }
spec: { ports: [{ port: 80 }, { port: 81, name: two }] }
---
{ apiVersion: v1, kind: ConfigMap, metadata: { name: a }, data: { long: "${'word '.repeat(60)}", lines: "a\\nb\\n" } }
`;

const update = (manifests: string): void =>
  expectGolden('release', readManifests(manifests), { folder: folder(), env: { UPDATE_GOLDEN: '1' } });
const compare = (manifests: string): void =>
  expectGolden('release', readManifests(manifests), { folder: folder(), env: {} });

test('the golden objects match in any order', () => {
  update(text);
  compare(text);
  compare(text.split('---').reverse().join('\n---\n'));
  const written = readFileSync(path.join(folder(), 'release.yaml'), 'utf8');
  update(text.split('---').reverse().join('\n---\n'));
  expect(readFileSync(path.join(folder(), 'release.yaml'), 'utf8')).toBe(written);
  expect(written.indexOf('kind: ConfigMap')).toBeLessThan(written.indexOf('kind: Service'));
});

test('a difference is reported by object and path, with how to update', () => {
  update(text);
  const changed = text
    .replace('port: 80', 'port: 8080')
    .replace(', name: two', '')
    .replace('spec:', 'status: { a: 1 }\nspec:');
  const said = [
    'release.yaml has:',
    '  Service/b: spec.ports[0].port is 8080, was 80',
    '  Service/b: spec.ports[1].name is gone, was "two"',
    '  Service/b: status is new: {"a":1}',
    'Read what differs; where it is as it should be, run the test with UPDATE_GOLDEN=1.',
  ].join('\n');
  expect(() => compare(changed)).toThrow(said);
});

test('an extra object and a missing one', () => {
  update(text);
  const other = text.replace('name: b', 'name: c');
  expect(() => compare(other)).toThrow('  Service/b is not rendered\n  Service/c is new\n');
});

test('a missing file', () => {
  expect(() => compare(text)).toThrow(/There is no .*release\.yaml\. Read what differs.*UPDATE_GOLDEN=1/);
});
