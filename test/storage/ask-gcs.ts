import { inspect } from 'node:util';
import { openGcs } from '../../storage/drivers/gcs';
import { gcsConfig } from '../../storage/drivers/gcs-config';

/**
 * Heads an object twice and prints the answers. This is a separate process because the SDK's code for tokens loads
 * modules that jest cannot load.
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
  // Exit explicitly, because an abandoned token request still has an open connection.
  process.stdout.write(answers, () => process.exit());
}

void ask(JSON.parse(process.argv[2] ?? ''), process.argv[3]);
