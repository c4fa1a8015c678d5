import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import tls from 'node:tls';
import { parseArgs } from 'node:util';
import { billOfMaterials } from './bill-of-materials';
import { copyPackages, packageName, packagesThatRun } from './packages';
import { buildProgram } from './program';

// Builds `dist/`, a self-contained folder. `node dist/scripts/federated-etl.cjs` starts the program from it. The
// program compiles and bundles nothing when it starts, so the folder can be read-only. The Dockerfile copies the
// folder into the image.

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly bin: object;
  readonly dependencies: object;
}

const root = path.resolve(__dirname, '..', '..');
const dist = path.join(root, 'dist');

async function build(): Promise<void> {
  const { values } = parseArgs({ options: { version: { type: 'string' }, commit: { type: 'string' } } });
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as Manifest;
  const version = values.version || manifest.version;
  const commit = values.commit || 'unknown';

  await rm(dist, { recursive: true, force: true });
  await mkdir(dist);
  const page = await buildProgram(root, dist);

  const packages = await packagesThatRun(root);
  await copyPackages(root, dist, packages);
  const bill = await billOfMaterials(root, {
    packages: await nameAndVersion(packages),
    inPage: await nameAndVersion(page),
    version,
    commit,
  });
  await writeJson('sbom.cdx.json', bill);

  const { name, description, license, bin, dependencies } = manifest;
  await writeJson('package.json', {
    name,
    version,
    description,
    license,
    gitHead: commit,
    bin,
    dependencies,
  });
  await cp(path.join(root, 'LICENSE'), path.join(dist, 'LICENSE'));
  // The native part of Temporal's SDK needs the system's CA certificates. A slim image has none, so put Node's
  // certificates into the image.
  await writeFile(path.join(dist, 'ca-certificates.crt'), `${tls.rootCertificates.join('\n')}\n`);
  console.log(`dist: federated-etl ${version} (${commit}), ${packages.length} packages`);
}

/**
 * Returns the packages in these folders as `name@version`. Removes duplicates, because a package may be installed in
 * several folders.
 */
async function nameAndVersion(packages: readonly string[]): Promise<string[]> {
  const named = packages.map(async (at) => {
    const text = await readFile(path.join(root, at, 'package.json'), 'utf8');
    return `${packageName(at)}@${(JSON.parse(text) as Manifest).version}`;
  });
  return [...new Set(await Promise.all(named))];
}

async function writeJson(name: string, content: object): Promise<void> {
  await writeFile(path.join(dist, name), `${JSON.stringify(content, null, 2)}\n`);
}

build().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
