import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildPage, builtPage } from '../../web/bundle';
import { builtWorkflows, workflowBundle } from '../../workers/workflow-bundle';
import { compile } from './compile';

/**
 * Builds the program into the folder `to`, so that `<to>/scripts/federated-etl.cjs` starts without compiling or
 * bundling. Does not copy the npm packages that the program needs. They must be in a `node_modules` folder in `to` or
 * above it.
 *
 * @returns the folders of the packages whose code is bundled into the web page, such as `node_modules/preact`
 */
export async function buildProgram(root: string, to: string): Promise<string[]> {
  await compile(root, to);
  await writeWorkflows(to);
  const page = await writePage(to);
  await writeStart(root, to);
  return page;
}

async function writeWorkflows(to: string): Promise<void> {
  for (const encrypted of [false, true]) {
    const bundle = await workflowBundle(encrypted);
    const code = 'code' in bundle ? bundle.code : await readFile(bundle.codePath);
    await writeFile(path.join(to, 'workers', builtWorkflows(encrypted)), code);
  }
}

async function writePage(to: string): Promise<string[]> {
  const { files, sources } = await buildPage();
  for (const [name, { body }] of files) {
    const file = path.join(to, 'web', builtPage, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, body);
  }
  const packages = sources.map((source) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(source)?.[0]);
  return [...new Set(packages.filter((one) => one !== undefined))];
}

async function writeStart(root: string, to: string): Promise<void> {
  const start = path.join('scripts', 'federated-etl.cjs');
  await cp(path.join(root, start), path.join(to, start));
  await chmod(path.join(to, start), 0o755);
}
