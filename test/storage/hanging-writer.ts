import { openFilesystem } from '../../storage/drivers/filesystem';

/** A separate process that writes half an object, reports it, and then waits to be killed. */
async function* body() {
  yield Buffer.alloc(1_000_000, 'n');
  process.stdout.write('half\n');
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}

void openFilesystem({ directory: process.argv[2] ?? '' }).put('k', body(), { metadata: { state: 'new' } });
