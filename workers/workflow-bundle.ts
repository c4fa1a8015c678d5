import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { version } from '@temporalio/worker/package.json';

const root = join(__dirname, '..');
/** The name of what `npm run build` puts beside this module. */
export const builtWorkflows = 'workflow-code.js';

/** What a workflow may be made of; a change in any of it makes a new bundle. */
const sources = ['workflows', 'etl', 'federation', 'errors', 'activities'];

/**
 * The code that workers replay: what the build made, or in a checkout bundled once and kept beside the packages under
 * a name made of all that it can be made of, so that only the first start after a change takes the seconds that
 * bundling takes.
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
    // Not made yet; it is made below.
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
    // Where the packages cannot be written, each start bundles anew: slower, and nothing else.
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
