import { openFilesystem } from '../../storage/drivers/filesystem';

/** A process of its own that writes half an object, says so, and then waits to be killed. */
async function* body() {
  yield Buffer.alloc(1_000_000, 'n');
  process.stdout.write('half\n');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

void openFilesystem({ directory: process.argv[2] ?? '' }).put('k', body(), { metadata: { state: 'new' } });
