import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { version } from '@temporalio/worker/package.json';

const root = join(__dirname, '..');
/** Name of the file that `npm run build` puts next to this module. */
export const builtWorkflows = 'workflow-code.js';

/** Folders that workflow code may come from; a change in any of them requires a new bundle. */
const sources = ['workflows', 'etl', 'federation', 'errors', 'activities'];

/**
 * Returns the workflow code for workers. A build already contains it. In a checkout it is bundled, which takes seconds,
 * and cached in node_modules under a hash of all possible sources. So only the first start after a change bundles it.
 */
export async function workflowBundle(): Promise<WorkflowBundleWithSourceMap | { codePath: string }> {
  const built = join(__dirname, builtWorkflows);
  if (existsSync(built)) return { codePath: built };
  const folder = join(root, 'node_modules', '.cache', 'federated-etl');
  const codePath = join(folder, `workflows-${fingerprintOfSources()}.js`);
  try {
    readFileSync(codePath, { flag: 'r' });
    return { codePath };
  } catch {
    // Not cached yet.
  }
  const bundle = await bundleWorkflowCode({
    workflowsPath: require.resolve('../workflows/index'),
    logger: new DefaultLogger('WARN'),
  });
  try {
    await mkdir(folder, { recursive: true });
    const temporary = `${codePath}.${process.pid}`;
    await writeFile(temporary, bundle.code);
    await rename(temporary, codePath);
  } catch {
    // If node_modules cannot be written, each start bundles again, which is only slower.
  }
  return bundle;
}

function fingerprintOfSources(): string {
  const hash = createHash('sha256').update(version);
  for (const folder of sources) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      if (/\.(ts|js)$/.test(name))
        hash
          .update(name)
          .update('\0')
          .update(readFileSync(join(root, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
