import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { version } from '@temporalio/worker/package.json';
import { encryptedFailures } from './data-converter';

const root = join(__dirname, '..');
/**
 * Name of the file with the bundled workflow code, depending on whether payloads are encrypted. `npm run build` puts
 * both files next to this module.
 */
export const builtWorkflows = (encrypted: boolean): string =>
  encrypted ? 'workflow-code-encrypted.js' : 'workflow-code.js';

/** Folders from which workflow code may be imported. A change in any of them requires a new bundle. */
const sources = ['workflows', 'etl', 'federation', 'errors', 'activities'];

/**
 * Returns the bundled workflow code for workers. If payloads are encrypted, the code also puts the messages of failures
 * into payloads. A build contains the bundle. In a source checkout, it is created when
 * needed, which takes seconds. It is then cached in node_modules under a hash of all possible source files, so only the
 * first start after a change is slow.
 */
export async function workflowBundle(
  encrypted = false,
): Promise<WorkflowBundleWithSourceMap | { codePath: string }> {
  const built = join(__dirname, builtWorkflows(encrypted));
  if (existsSync(built)) return { codePath: built };
  const folder = join(root, 'node_modules', '.cache', 'federated-etl');
  const codePath = join(folder, `${encrypted ? 'encrypted-' : ''}workflows-${fingerprintOfSources()}.js`);
  try {
    readFileSync(codePath, { flag: 'r' });
    return { codePath };
  } catch {
    // The bundle is not in the cache yet, so create it below.
  }
  const bundle = await bundleWorkflowCode({
    workflowsPath: require.resolve('../workflows/index'),
    ...(encrypted && { failureConverterPath: encryptedFailures }),
    logger: new DefaultLogger('WARN'),
  });
  try {
    await mkdir(folder, { recursive: true });
    const temporary = `${codePath}.${process.pid}`;
    await writeFile(temporary, bundle.code);
    await rename(temporary, codePath);
  } catch {
    // Ignore the error: node_modules may be read-only. In this case, each start creates the bundle again.
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
