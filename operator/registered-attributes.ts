import type { Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { searchAttributes } from '../workflows/search-attributes';

/** The parts of a connection that are used to read search attributes. */
export type AttributeServices = Pick<Connection, 'operatorService' | 'workflowService'>;

/** A search attribute that federations use. */
export type Attribute = (typeof searchAttributes)[keyof typeof searchAttributes];

/** The search attributes of federations that a namespace lacks. */
export interface MissingAttributes {
  readonly absent: readonly Attribute[];
  /** Attributes whose name is taken by one of another type, such as `Text`. */
  readonly wrong: readonly (Attribute & { readonly found: string })[];
}

/** Finds the search attributes of federations that are not registered in a namespace, or have the wrong type. */
export async function missingAttributes(
  services: AttributeServices,
  namespace: string,
): Promise<MissingAttributes> {
  const registered = await registeredTypes(services, namespace);
  const wanted = Object.values(searchAttributes);
  return {
    absent: wanted.filter(({ name }) => !registered.has(name)),
    wrong: wanted.flatMap((attribute) => {
      const found = registered.get(attribute.name);
      return found === undefined || found === nameOfType(attribute.type) ? [] : [{ ...attribute, found }];
    }),
  };
}

const [permissionDenied, unimplemented] = [7, 12];

/** Returns the type of each custom search attribute of a namespace, such as `KEYWORD_LIST`. */
async function registeredTypes(
  { operatorService, workflowService }: AttributeServices,
  namespace: string,
): Promise<Map<string, string>> {
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    return new Map(Object.entries(customAttributes).map(([name, type]) => [name, nameOfIndexed(type)]));
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code;
    if (code !== permissionDenied && code !== unimplemented) throw error;
    // Temporal Cloud and some servers do not let this client list the attributes. But they describe the namespace, and
    // the description contains the column of each attribute, such as `Keyword01`.
    const { config } = await workflowService.describeNamespace({ namespace });
    const columns = Object.entries(config?.customSearchAttributeAliases ?? {});
    return new Map(columns.map(([column, name]) => [name, nameOfType(column.replace(/\d+$/, ''))]));
  }
}

const { IndexedValueType } = temporal.api.enums.v1;

function nameOfIndexed(type: temporal.api.enums.v1.IndexedValueType): string {
  return (IndexedValueType[type] ?? 'unknown').replace('INDEXED_VALUE_TYPE_', '');
}

/** Returns the type of an attribute as Temporal's command-line tools spell it, such as `KeywordList`. */
export function typeInCommands({ type }: Attribute): 'Keyword' | 'KeywordList' | 'Int' {
  return ({ KEYWORD: 'Keyword', KEYWORD_LIST: 'KeywordList', INT: 'Int' } as const)[type];
}

/** Returns the command that registers an attribute on a server that is not in Temporal Cloud. */
export function createCommand(namespace: string, attribute: Attribute): string {
  return `temporal operator search-attribute create --namespace ${namespace} --name ${attribute.name} --type ${typeInCommands(attribute)}`;
}

/** Converts `KeywordList` to `KEYWORD_LIST`. */
function nameOfType(type: string): string {
  return type.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}
