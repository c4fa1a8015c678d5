import type { Settings } from '../../config/settings';
import { knownError } from '../../errors/known-error';
import type { Exclusion } from '../../federation/membership';
import type { RosterState } from '../../workflows/messages';
import { names } from '../../workflows/names';
import { probeTemporal } from '../probe-temporal';
import { type Check, failed } from './check';
import {
  type Asked,
  checkNamespace,
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

export interface TemporalChecks {
  readonly checks: Check[];
  /** The exclusions in the roster. Undefined if the roster did not answer or was not queried. */
  readonly exclusions?: Readonly<Record<string, Exclusion>>;
}

/** Checks what this cluster's roles need from Temporal. Changes nothing in Temporal. */
export async function checkTemporal(settings: Settings, label: string | undefined): Promise<TemporalChecks> {
  const { namespace, idPrefix } = settings.temporal;
  const opened = await connect(settings).catch((error: unknown) => failed('Temporal', 'server', error));
  if ('outcome' in opened) return { checks: [opened, skipped('Temporal does not answer.')] };
  const { connection, Client } = opened;
  const asked: Asked = {
    client: new Client({ connection, namespace }),
    connection,
    settings,
    names: names(idPrefix),
    label,
  };
  try {
    return await checkServer(asked);
  } finally {
    await connection.close();
  }
}

async function checkServer(asked: Asked): Promise<TemporalChecks> {
  const { settings } = asked;
  const server = line('server', 'ok', `It answers at ${settings.temporal.address}.`);
  const space = await ask(asked, 'namespace', checkNamespace);
  if (space.outcome === 'failed')
    return { checks: [server, space, skipped('The namespace cannot be used.')] };
  const { federator, federatedCluster } = settings.roles;
  const [attributes, schedule, roster, push, shared, exclusions] = await Promise.all([
    federator ? ask(asked, 'search attributes', checkSearchAttributes) : undefined,
    federator ? ask(asked, 'schedule', checkSchedule) : undefined,
    ask(asked, 'roster', checkRoster),
    federatedCluster ? ask(asked, 'push', checkPush) : undefined,
    settings.storage.existing ? ask(asked, 'useExistingS3Config', checkShared) : undefined,
    federator ? readExclusions(asked) : undefined,
  ]);
  const checks = [server, space, attributes, roster, schedule, push, shared];
  return { checks: checks.filter((one) => one !== undefined), exclusions };
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
