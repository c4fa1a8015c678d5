import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageName, packagesThatRun } from '../../scripts/build/packages';

const root = path.join(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const sections = new Map(
  read('docs/design/dependencies.md')
    .split(/^## /m)
    .map((section) => [section.split('\n')[0] ?? '', section]),
);

/** Returns the licence of the package in this folder. */
function licenceOf(folder: string): unknown {
  return (JSON.parse(read(path.join(folder, 'package.json'))) as { license: unknown }).license;
}

/** Returns the cells of a section's table, without its head. */
function rowsOf(section: string): string[][] {
  const lines = (sections.get(section) ?? '').split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

test('each package of package.json is listed with its licence, and no other', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, object>;
  const expected = Object.keys({ ...dependencies, ...devDependencies }).map((name) => [
    name,
    licenceOf(`node_modules/${name}`),
  ]);
  const listed = ['At run time', 'For development, tests and starting from a checkout'].flatMap(rowsOf);
  const byName = (a: unknown[], b: unknown[]) => String(a[0]).localeCompare(String(b[0]), 'en');
  expect(listed.map(([name, licence]) => [name, licence]).sort(byName)).toEqual(expected.sort(byName));
});

test('the licences of all packages that run are listed', async () => {
  const licences = (await packagesThatRun(root)).map(licenceOf);
  expect(new Set(rowsOf('Licences').map(([licence]) => licence))).toEqual(new Set(licences));
});

test('the packages whose install scripts run are listed', async () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { hasInstallScript?: true }>;
  };
  const running = new Set((await packagesThatRun(root)).map(packageName));
  const scripts = Object.entries(packages).flatMap(([at, { hasInstallScript }]) => {
    const name = packageName(at);
    return hasInstallScript ? [[name, running.has(name) ? 'yes' : 'no']] : [];
  });
  const listed = rowsOf('Install scripts').map(([name, needed]) => [name, needed]);
  expect(new Map(listed as [string, string][])).toEqual(new Map(scripts as [string, string][]));
});
