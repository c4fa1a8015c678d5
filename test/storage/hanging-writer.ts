import { openFilesystem } from '../../storage/drivers/filesystem';

/** Yields the first half of an object, prints `half`, and then waits. The test kills this process while it waits. */
async function* body() {
  yield Buffer.alloc(1_000_000, 'n');
  process.stdout.write('half\n');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

void openFilesystem({ directory: process.argv[2] ?? '' }).put('k', body(), { metadata: { state: 'new' } });
