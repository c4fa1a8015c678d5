import type { Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { FederationError } from '../errors/federation-error';
import {
  type AttributeServices,
  createCommand,
  missingAttributes,
  typeInCommands,
} from '../operator/registered-attributes';
import { searchAttributes } from '../workflows/search-attributes';

const { IndexedValueType } = temporal.api.enums.v1;

/** The parts of a connection to Temporal that are used to register search attributes. */
export type AttributeConnection = AttributeServices & {
  readonly options: Pick<Connection['options'], 'address'>;
};

/**
 * Registers any missing search attributes of federations in the namespace. Throws SEARCH_ATTRIBUTES_MISSING if that
 * fails, so that no worker starts: a run that sets an unregistered attribute would get stuck and show as Running
 * forever. Returns whether any were missing.
 */
export async function ensureSearchAttributes(
  connection: AttributeConnection,
  namespace: string,
): Promise<boolean> {
  try {
    const { absent, wrong } = await missingAttributes(connection, namespace);
    if (wrong.length > 0) throw wrongTypes(namespace, wrong);
    if (absent.length === 0) return false;
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(
        absent.map(({ name, type }) => [name, IndexedValueType[`INDEXED_VALUE_TYPE_${type}`]]),
      ),
    });
    return true;
  } catch (error) {
    if (error instanceof FederationError) throw error;
    throw unregistered(namespace, connection.options.address, error);
  }
}

function wrongTypes(
  namespace: string,
  wrong: Awaited<ReturnType<typeof missingAttributes>>['wrong'],
): FederationError {
  const which = wrong.map(({ name, type, found }) => `${name} as ${found}, where federations need ${type}`);
  return new FederationError('SEARCH_ATTRIBUTES_MISSING', {
    detail: `The namespace ${namespace} has ${which.join(', and ')}.`,
    hint: 'Give this federation a namespace of its own (temporal.namespace).',
  });
}

/** Message of a server with SQL visibility if no column is left for this type of attribute. */
const noRoom = /cannot have more than \d+ search attributes? of type/i;

function unregistered(namespace: string, address: string, cause: unknown): FederationError {
  const reason = reasonOf(cause);
  const detail = `The search attributes of federations could not be registered in namespace ${namespace}: ${reason}`;
  return new FederationError('SEARCH_ATTRIBUTES_MISSING', {
    detail: /[.!?]$/.test(detail) ? detail : `${detail}.`,
    hint: hintFor(namespace, address, reason),
    cause,
  });
}

function hintFor(namespace: string, address: string, reason: string): string {
  const wanted = Object.values(searchAttributes);
  if (noRoom.test(reason))
    return 'The namespace has no room for another one. Remove one that nothing uses with `temporal operator search-attribute remove`, or give this federation a namespace of its own (temporal.namespace).';
  if (isCloud(address)) {
    const named = wanted.map((one) => `--search-attribute ${one.name}=${typeInCommands(one)}`).join(' ');
    return `Temporal Cloud has its own command for this: \`tcld namespace search-attributes add --namespace ${namespace} ${named}\`. Its UI and its API can do the same.`;
  }
  return `Register them: ${wanted.map((one) => createCommand(namespace, one)).join('; ')}`;
}

/** Returns whether an address, such as `prod.a1b2c.tmprl.cloud:7233`, is one of Temporal Cloud. */
function isCloud(address: string): boolean {
  return /\.(tmprl\.cloud|temporal\.io)(:\d+)?$/.test(address);
}

function reasonOf(error: unknown): string {
  const { details } = (error ?? {}) as { details?: unknown };
  return typeof details === 'string' && details !== '' ? details : String(error);
}
