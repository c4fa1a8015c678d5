import { randomUUID } from 'node:crypto';
import { msToTs } from '@temporalio/common/lib/time';
import { temporal } from '@temporalio/proto';
import { isFederationError } from '../../errors/federation-error';
import { type AttributeConnection, ensureSearchAttributes } from '../../workers/search-attributes';
import { searchAttributes } from '../../workflows/search-attributes';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { until } from '../until';

const { IndexedValueType } = temporal.api.enums.v1;

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

  it('leave room for others: at most one of the three lists of a server with SQL visibility', () => {
    const types = Object.values(searchAttributes).map(({ type }) => type);
    expect(types.filter((type) => type === 'KEYWORD_LIST')).toHaveLength(1);
    expect(types.filter((type) => type === 'KEYWORD').length).toBeLessThanOrEqual(2);
  });

  describe('stop the federator, with what to do,', () => {
    const refusal = async (connection: AttributeConnection, namespace: string) => {
      const error: unknown = await ensureSearchAttributes(connection, namespace).catch(
        (reason: unknown) => reason,
      );
      if (isFederationError(error, 'SEARCH_ATTRIBUTES_MISSING')) return error;
      throw new Error(`Another end: ${String(error)}`);
    };
    const { KEYWORD_LIST, KEYWORD } = {
      KEYWORD_LIST: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
      KEYWORD: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    };
    const add = (namespace: string, attributes: Record<string, temporal.api.enums.v1.IndexedValueType>) =>
      server.connection.operatorService.addSearchAttributes({ namespace, searchAttributes: attributes });

    it('if they cannot be registered', async () => {
      const { hint } = await refusal(server.connection, `absent-${randomUUID()}`);
      expect(hint).toContain('temporal operator search-attribute create');
      expect(hint).toContain('--name FederationClusters --type KeywordList');
      for (const { name } of Object.values(searchAttributes)) expect(hint).toContain(name);
    });

    it('if others have taken all the room', async () => {
      const namespace = await plainNamespace();
      await add(namespace, { One: KEYWORD_LIST, Two: KEYWORD_LIST, Three: KEYWORD_LIST });
      const { detail, hint } = await refusal(server.connection, namespace);
      expect(detail).toContain('cannot have more than 3');
      expect(hint).toContain('no room');
      expect(hint).not.toContain('search-attribute create');
    });

    it('if the name of one is taken by another type', async () => {
      const namespace = await plainNamespace();
      await add(namespace, { FederationClusters: KEYWORD });
      const { detail, hint } = await refusal(server.connection, namespace);
      expect(detail).toContain('FederationClusters as KEYWORD, where federations need KEYWORD_LIST');
      expect(hint).toContain('namespace of its own');
    });

    /** Imitates Temporal Cloud: a client can neither list nor add attributes, but can describe the namespace. */
    function cloud(customSearchAttributeAliases: Record<string, string>): AttributeConnection {
      const denied = () => Promise.reject(Object.assign(new Error('denied'), { code: 7, details: 'denied' }));
      return {
        options: { address: 'prod.a1b2c.tmprl.cloud:7233' },
        operatorService: { listSearchAttributes: denied, addSearchAttributes: denied },
        workflowService: { describeNamespace: async () => ({ config: { customSearchAttributeAliases } }) },
      } as unknown as AttributeConnection;
    }

    it('in Temporal Cloud, with the command of the Cloud', async () => {
      const { hint } = await refusal(cloud({}), 'prod.a1b2c');
      expect(hint).toContain('tcld namespace search-attributes add --namespace prod.a1b2c');
      expect(hint).toContain('--search-attribute FederationClusters=KeywordList');
      expect(hint).not.toContain('temporal operator');
    });

    it('but not in Temporal Cloud if they are registered there', async () => {
      const aliases = {
        Keyword01: 'FederationOutcome',
        Keyword02: 'FederationReplayOf',
        Int01: 'FederationGeneration',
        KeywordList01: 'FederationClusters',
      };
      expect(await ensureSearchAttributes(cloud(aliases), 'prod.a1b2c')).toBe(false);
    });
  });
});
