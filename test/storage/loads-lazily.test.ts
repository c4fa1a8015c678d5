import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { loadTypescript } from '../servers/load-typescript';
import { removeTemporaryFolders, temporaryFolder } from './temporary-folder';

afterAll(removeTemporaryFolders);

const sdks = ['@aws-sdk/client-s3', '@google-cloud/storage', '@azure/storage-blob', '@azure/identity'];

/**
 * Opens a store in a separate process, and returns the cloud SDKs that the process has loaded. This cannot be observed
 * in the test's own process, because Jest has its own module registry.
 */
function loadedBy(store: object): string[] {
  const script = `
    const { registerHooks } = require('node:module');
    const urls = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        const resolved = next(specifier, context);
        urls.add(resolved.url);
        return resolved;
      },
    });
    const { openBucket } = require('./storage/open-bucket');
    const { parseFederatedStore } = require('./storage/federated-store');
    openBucket(parseFederatedStore(process.argv[1], 'f.yaml')).then((bucket) => {
      const loaded = [...urls].join();
      console.log(JSON.stringify(${JSON.stringify(sdks)}.filter((sdk) => loaded.includes('/node_modules/' + sdk + '/'))));
      process.exit(0);
    });`;
  const root = path.join(__dirname, '../..');
  const output = execFileSync(
    process.execPath,
    [...loadTypescript, '--eval', script, JSON.stringify(store)],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return JSON.parse(output) as string[];
}

test('an SDK is loaded only for the store that needs it', () => {
  const directory = temporaryFolder();
  const secret = 'c2VjcmV0';
  expect(loadedBy({ type: 'FILESYSTEM', config: { directory } })).toEqual([]);
  expect(loadedBy({ type: 'S3', config: { bucket: 'costs', endpoint: 'localhost:1' } })).toEqual([
    '@aws-sdk/client-s3',
  ]);
  expect(loadedBy({ type: 'GCS', config: { bucket: 'costs' } })).toEqual(['@google-cloud/storage']);
  const azure = { storage_account: 'costs', container: 'costs' };
  expect(loadedBy({ type: 'AZURE', config: { ...azure, storage_account_key: secret } })).toEqual([
    '@azure/storage-blob',
  ]);
  expect(loadedBy({ type: 'AZURE', config: azure })).toEqual(['@azure/storage-blob', '@azure/identity']);
});
