import { inspect } from 'node:util';
import { openGcs } from '../../storage/drivers/gcs';
import { gcsConfig } from '../../storage/drivers/gcs-config';

/**
 * Calls `head` for the same object twice, and prints both results. Tests run this script in a separate process, because
 * Jest cannot load some modules that the Google SDK needs to get tokens.
 */
async function ask(settings: unknown, apiEndpoint: string | undefined): Promise<void> {
  const bucket = await openGcs(gcsConfig.parse(settings), { apiEndpoint, authenticate: true });
  const look = () =>
    bucket.head('k').catch((error: { code?: string; retryable?: boolean }) => ({
      code: error.code,
      retryable: error.retryable,
      shown: inspect(error, { depth: 9, showHidden: true }),
    }));
  const answers = JSON.stringify([await look(), await look()]);
  await bucket.close();
  // Exit explicitly: an abandoned token request may still have an open connection, which keeps the process alive.
  process.stdout.write(answers, () => process.exit());
}

void ask(JSON.parse(process.argv[2] ?? ''), process.argv[3]);
