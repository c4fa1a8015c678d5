import type { Connection } from '@temporalio/client';
import { SearchAttributeType } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { FederationError } from '../errors/federation-error';
import { searchAttributes } from '../workflows/search-attributes';

type IndexedValueType = temporal.api.enums.v1.IndexedValueType;
const { IndexedValueType } = temporal.api.enums.v1;

const indexed: Record<(typeof searchAttributes)[keyof typeof searchAttributes]['type'], IndexedValueType> = {
  [SearchAttributeType.KEYWORD]: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  [SearchAttributeType.KEYWORD_LIST]: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  [SearchAttributeType.INT]: IndexedValueType.INDEXED_VALUE_TYPE_INT,
};

/**
 * Registers any missing search attributes of federations in the namespace. Throws SEARCH_ATTRIBUTES_MISSING if that
 * fails, so that no worker starts: a run that sets an unregistered attribute would get stuck and show as Running
 * forever. Returns whether any were missing.
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<boolean> {
  const wanted = Object.values(searchAttributes);
  const missing = async () => {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return wanted.filter(({ name, type }) => customAttributes[name] !== indexed[type]);
  };
  try {
    const toAdd = await missing();
    if (toAdd.length === 0) return false;
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(toAdd.map(({ name, type }) => [name, indexed[type]])),
    });
    return true;
  } catch (error) {
    throw new FederationError('SEARCH_ATTRIBUTES_MISSING', {
      detail: `The search attributes of federations could not be registered in namespace ${namespace}.`,
      hint: `Register them: ${wanted.map(({ name, type }) => `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${type}`).join('; ')}`,
      cause: error,
    });
  }
}
