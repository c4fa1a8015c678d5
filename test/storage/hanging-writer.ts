import { openFilesystem } from '../../storage/drivers/filesystem';

/** Yields half an object, reports that, and then waits. The test kills this process meanwhile. */
async function* body() {
  yield Buffer.alloc(1_000_000, 'n');
  process.stdout.write('half\n');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

void openFilesystem({ directory: process.argv[2] ?? '' }).put('k', body(), { metadata: { state: 'new' } });
