import { randomUUID } from 'node:crypto';
import * as sdk from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import { NativeConnection } from '@temporalio/worker';
import { guardedRetries } from '../../workers/guarded-retries';
import { ensureSearchAttributes } from '../../workers/search-attributes';
import { until } from '../until';
import { describeWith } from './describe-with';
import { missing } from './paths';
import { sharedServer } from './shared-servers';

/** Connections to the Temporal server that all test files of a run share. */
export interface TestServer {
  readonly address: string;
  readonly connection: sdk.Connection;
  readonly nativeConnection: NativeConnection;
  /** Returns a client for a namespace. */
  client(namespace: string): sdk.Client;
  /**
   * Creates a namespace with the search attributes that federations use. Each test file creates its own namespace, so
   * that test files do not affect each other.
   */
  createNamespace(retention?: '1 day' | '30 days'): Promise<string>;
  /** Closes `connection` and `nativeConnection`. Jest cannot exit while they are open. */
  close(): Promise<void>;
}

/** Connects to the Temporal server that all test files of a run share. Waits until the server has started. */
export async function connectToTestServer(): Promise<TestServer> {
  const { address } = await sharedServer<{ address: string }>('temporal');
  const connection = await sdk.Connection.connect({ address, interceptors: guardedRetries(sdk) });
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    address,
    connection,
    nativeConnection,
    client: (namespace) => new sdk.Client({ connection, namespace }),
    createNamespace: (retention = '30 days') => createNamespace(connection, retention),
    async close() {
      await nativeConnection.close();
      await connection.close();
    },
  };
}

/** Defines a suite that needs a Temporal server. */
export function describeWithTemporal(name: string, suite: () => void): void {
  describeWith(missing('temporalMissing'), name, suite);
}

/**
 * Connects the tests of a file or a `describe` block to the test server, in a namespace of their own. `use` gets a
 * client for it before the first test.
 */
export function withOwnNamespace(use: (client: sdk.Client) => void): void {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await connectToTestServer();
    use(server.client(await server.createNamespace()));
  });
  afterAll(() => server?.close());
}

async function createNamespace(connection: sdk.Connection, retention: '1 day' | '30 days'): Promise<string> {
  const namespace = `test-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs(retention),
  });
  // The server notices new namespaces only by polling. So wait until it knows this one.
  return until('a namespace', async () => {
    await ensureSearchAttributes(connection, namespace);
    // This request goes to the part of the server that starts workflows. That part is the last to notice a new
    // namespace.
    await connection.workflowService.countWorkflowExecutions({ namespace });
    return namespace;
  });
}
