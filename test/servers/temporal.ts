import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { NativeConnection } from '@temporalio/worker';
import { ensureSearchAttributes } from '../../workers/search-attributes';
import { describeWith } from './describe-with';
import { missing } from './paths';
import { sharedServer } from './shared-servers';
import { until } from '../until';

/** A connection to the Temporal server that all test files of a run share. */
export interface TestServer {
  readonly address: string;
  readonly connection: Connection;
  readonly nativeConnection: NativeConnection;
  /** A client of a namespace. */
  client(namespace: string): Client;
  /** A namespace of one's own, with the federation's search attributes, so that test files do not meet. */
  createNamespace(): Promise<string>;
  /** Closes both connections; without it jest does not end. */
  close(): Promise<void>;
}

/** Connects to the shared Temporal server; the first test file to ask waits until it has started. */
export async function connectToTestServer(): Promise<TestServer> {
  const { address } = await sharedServer<{ address: string }>('temporal');
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    address,
    connection,
    nativeConnection,
    client: (namespace) => new Client({ connection, namespace }),
    createNamespace: () => createNamespace(connection),
    async close() {
      await nativeConnection.close();
      await connection.close();
    },
  };
}

/** A suite that needs a Temporal server. */
export function describeWithTemporal(name: string, suite: () => void): void {
  describeWith(missing('temporalMissing'), name, suite);
}

async function createNamespace(connection: Connection): Promise<string> {
  const namespace = `test-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  // The server learns of a new namespace by looking now and then.
  return until('a namespace', async () => {
    await ensureSearchAttributes(connection, namespace);
    // The part of the server that starts workflows learns of it last.
    await connection.workflowService.countWorkflowExecutions({ namespace });
    return namespace;
  });
}
