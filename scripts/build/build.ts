import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import tls from 'node:tls';
import { parseArgs } from 'node:util';
import { builtPage, buildPage } from '../../web/bundle';
import { builtWorkflows, workflowBundle } from '../../workers/workflow-bundle';
import { billOfMaterials } from './bill-of-materials';
import { compile } from './compile';
import { copyPackages, packageName, packagesThatRun } from './packages';

// Makes `dist/`, a folder that runs by itself: `node dist/scripts/federated-etl.cjs`. Nothing in it is compiled or
// bundled when it starts, so it can be read-only. The Dockerfile puts it into the image as it is.

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
  await compile(root, dist);
  await writeWorkflows();
  const page = await writePage();
  await writeStart();

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
  // The part of Temporal's SDK that is no JavaScript looks for the system's certificates, and a slim image has none.
  await writeFile(path.join(dist, 'ca-certificates.crt'), `${tls.rootCertificates.join('\n')}\n`);
  console.log(`dist: federated-etl ${version} (${commit}), ${packages.length} packages`);
}

async function writeWorkflows(): Promise<void> {
  const bundle = await workflowBundle();
  const code = 'code' in bundle ? bundle.code : await readFile(bundle.codePath);
  await writeFile(path.join(dist, 'workers', builtWorkflows), code);
}

/** Writes the page's files; gives the packages that are in them. */
async function writePage(): Promise<string[]> {
  const { files, sources } = await buildPage();
  for (const [name, { body }] of files) {
    const file = path.join(dist, 'web', builtPage, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, body);
  }
  const packages = sources.map((source) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(source)?.[0]);
  return [...new Set(packages.filter((one) => one !== undefined))];
}

async function writeStart(): Promise<void> {
  const start = path.join('scripts', 'federated-etl.cjs');
  await cp(path.join(root, start), path.join(dist, start));
  await chmod(path.join(dist, start), 0o755);
}

/** Each package once, as `name@version`: one that is there at several places is one. */
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
