import { PayloadEncryption } from '../../config/payload-encryption';
import type { Settings } from '../../config/settings';
import { isKeyError } from '../../errors/key-errors';
import { knownError } from '../../errors/known-error';
import type { ClusterId } from '../../etl/cluster-id';
import type { RosterState } from '../../workflows/messages';
import { names } from '../../workflows/names';
import { askWorkflow } from '../ask-workflow';
import { probeTemporal } from '../probe-temporal';
import { promptly } from '../promptly';
import { stoppedPushes } from '../stopped-pushes';
import { type Check, failed } from './check';
import type { KnownToTemporal } from './clusters';
import { checkRunning, type RosterAnswer } from './running-process';
import {
  type Asked,
  checkNamespace,
  checkPull,
  checkPush,
  checkRoster,
  checkSchedule,
  checkSearchAttributes,
  checkShared,
  line,
} from './temporal-checks';

/** Deadline of a request to the Temporal server, in milliseconds. */
const patienceMs = 10_000;
/**
 * Deadline of a query to the roster workflow, in milliseconds. The deadline is short, because often no federator is
 * running, and then the query is never answered.
 */
const rosterPatienceMs = 3_000;

export interface TemporalChecks extends KnownToTemporal {
  readonly checks: Check[];
}

/**
 * Checks what this cluster's roles need from Temporal. Changes nothing in Temporal.
 *
 * @param bucket the address of the bucket, and whether it has generations
 * @param silent the silent clusters, for which to ask whether their pushes were stopped on purpose
 */
export async function checkTemporal(
  settings: Settings,
  { label, hasGenerations }: Pick<Asked, 'label' | 'hasGenerations'>,
  silent: readonly ClusterId[],
): Promise<TemporalChecks> {
  const { namespace, idPrefix, encryptionKeys } = settings.temporal;
  const opened = await connect(settings).catch((error: unknown) => failed('Temporal', 'server', error));
  if ('outcome' in opened) return { checks: [opened, skipped('Temporal does not answer.')] };
  const { connection, Client } = opened;
  const asked: Asked = {
    client: new Client({
      connection,
      namespace,
      dataConverter: { payloadCodecs: [new PayloadEncryption(() => encryptionKeys)] },
    }),
    connection,
    settings,
    names: names(idPrefix),
    label,
    hasGenerations,
  };
  try {
    return await checkServer(asked, silent);
  } finally {
    await connection.close();
  }
}

async function checkServer(asked: Asked, silent: readonly ClusterId[]): Promise<TemporalChecks> {
  const { settings } = asked;
  const server = line('server', 'ok', `It answers at ${settings.temporal.address}.`);
  const space = await ask(asked, 'namespace', checkNamespace);
  if (space.outcome === 'failed')
    return { checks: [server, space, skipped('The namespace cannot be used.')] };
  const { federator, federatedCluster, primaryCluster } = settings.roles;
  const answer = askWorkflow<RosterState>(asked.client, asked.names.roster, 'roster', rosterPatienceMs);
  const [keys, attributes, schedule, roster, push, pull, shared, running, exclusions, stopped] =
    await Promise.all([
      answer.then(checkKeys),
      federator ? ask(asked, 'search attributes', checkSearchAttributes) : undefined,
      federator ? ask(asked, 'schedule', checkSchedule) : undefined,
      ask(asked, 'roster', checkRoster),
      federatedCluster ? ask(asked, 'push', checkPush) : undefined,
      primaryCluster ? ask(asked, 'pull', checkPull) : undefined,
      settings.storage.existing ? ask(asked, 'useExistingS3Config', checkShared) : undefined,
      checkRunning(asked, answer),
      federator ? readExclusions(asked) : undefined,
      // If Temporal does not answer, assume that no push was stopped on purpose, so that no cluster is overlooked.
      promptly(asked.client, rosterPatienceMs, () => stoppedPushes(asked.client, asked.names, silent)).catch(
        (): ReadonlySet<string> => new Set(),
      ),
    ]);
  const checks = [server, space, keys, attributes, roster, schedule, push, pull, shared, ...running];
  return { checks: checks.filter((one) => one !== undefined), exclusions, stopped };
}

/** Checks that the answers of the roster can be decrypted. Returns undefined if they can, or if no federator answers. */
function checkKeys({ refusal }: RosterAnswer): Check | undefined {
  return isKeyError(refusal) ? failed('Temporal', 'encryption keys', refusal) : undefined;
}

async function connect(settings: Settings) {
  // Import the client only when it is needed, because loading it takes longer than most of the other checks.
  const sdk = await import('@temporalio/client');
  const { Client } = sdk;
  return { Client, connection: await probeTemporal(sdk, settings.temporal, patienceMs) };
}

/** Runs one check. If it throws an error, only this check fails. */
async function ask(
  asked: Asked,
  subject: string,
  question: (asked: Asked) => Promise<Check>,
): Promise<Check> {
  try {
    return await asked.connection.withDeadline(Date.now() + patienceMs, () => question(asked));
  } catch (error) {
    const { code, detail, hint } = knownError(error, asked.settings.temporal);
    return line(subject, 'failed', `${code}: ${detail}`, hint);
  }
}

async function readExclusions({
  client,
  connection,
  names: { roster },
}: Asked): Promise<RosterState['exclusions'] | undefined> {
  try {
    const state = await connection.withDeadline(Date.now() + rosterPatienceMs, () =>
      client.workflow.getHandle(roster).query<RosterState>('roster'),
    );
    return state.loaded ? state.exclusions : undefined;
  } catch {
    // Probably no federator is running. The caller uses the exclusions of the newest generation instead.
    return undefined;
  }
}

function skipped(why: string): Check {
  return line('everything else', 'skipped', why);
}
