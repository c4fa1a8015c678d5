import { randomUUID } from 'node:crypto';
import { msToTs } from '@temporalio/common/lib/time';
import { isFederationError } from '../../errors/federation-error';
import { ensureSearchAttributes } from '../../workers/search-attributes';
import { searchAttributes } from '../../workflows/search-attributes';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';

let server: TestServer;
beforeAll(async () => {
  server = await connectToTestServer();
});
afterAll(() => server?.close());

/** Creates a namespace without our search attributes, as an operator would. */
async function plainNamespace(): Promise<string> {
  const namespace = `test-${randomUUID()}`;
  await server.connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  // The server polls for new namespaces. Wait until it has noticed this one.
  await until('the namespace', () => customAttributes(namespace));
  return namespace;
}

const customAttributes = async (namespace: string) =>
  (await server.connection.operatorService.listSearchAttributes({ namespace })).customAttributes;

describeWithTemporal('the search attributes of federations', () => {
  it('are registered if they are missing, however often a federator starts', async () => {
    const namespace = await plainNamespace();
    expect(await customAttributes(namespace)).not.toHaveProperty('FederationOutcome');
    await ensureSearchAttributes(server.connection, namespace);
    const registered = await customAttributes(namespace);
    expect(Object.keys(registered)).toEqual(
      expect.arrayContaining(Object.values(searchAttributes).map(({ name }) => name)),
    );
    await ensureSearchAttributes(server.connection, namespace);
    expect(await customAttributes(namespace)).toEqual(registered);
  });

  it('stop the federator, with what to do, if they cannot be registered', async () => {
    const error: unknown = await ensureSearchAttributes(server.connection, `absent-${randomUUID()}`).catch(
      (reason: unknown) => reason,
    );
    if (!isFederationError(error, 'SEARCH_ATTRIBUTES_MISSING'))
      throw new Error(`Another end: ${String(error)}`);
    for (const { name } of Object.values(searchAttributes)) {
      expect(error.hint).toContain(`temporal operator search-attribute create`);
      expect(error.hint).toContain(name);
    }
  });
});
