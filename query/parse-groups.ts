import { type Aliases, aliasKeys } from './aliases';
import { commaList } from './comma-list';
import { invalid } from './invalid';
import {
  type AllocationField,
  allocationFields,
  type AllocationGroup,
  type AssetField,
  assetFields,
  type AssetGroup,
} from './request';
import { sanitizeKey } from './sanitize';

const containerFields = [
  'cluster',
  'node',
  'namespace',
  'pod',
  'container',
] as const satisfies AllocationField[];
const keyedKinds = ['label', 'annotation', 'namespaceLabel'] as const satisfies AllocationGroup['kind'][];
/** Maximum number of fields to group by. More fields would make row names unreadable and queries slow. */
const mostParts = 20;

/**
 * Parses the parameter `aggregate` of a query for allocations. If it is missing, allocations are grouped by container.
 * Throws QUERY_INVALID.
 */
export function parseAllocationGroups(text: string | undefined, aliases: Aliases): AllocationGroup[] {
  const words = split(text);
  if (words.length === 0) return containerFields.map((field) => ({ kind: 'field', field }));
  if (words.length === 1 && words[0]?.toLowerCase() === 'all') return [];
  return words.flatMap((word): AllocationGroup[] => {
    const [, before, key = ''] = /^(\w+):(.+)$/.exec(word) ?? [];
    const kind = keyedKinds.find((known) => known.toLowerCase() === before?.toLowerCase());
    if (kind !== undefined) return [{ kind, key: sanitizeKey(key.trim()) }];
    const field = allocationFields.find((known) => known.toLowerCase() === word.toLowerCase());
    if (field !== undefined) return [{ kind: 'field', field }];
    return (
      aliasKeys(word.toLowerCase(), aliases)?.map((key) => ({ kind: 'alias', key })) ??
      unknown(word, allocationFields)
    );
  });
}

/**
 * Parses the parameter `aggregate` of a query for assets. Returns undefined if it is missing: assets are then grouped
 * by all fields that identify them. Throws QUERY_INVALID.
 */
export function parseAssetGroups(text: string | undefined, aliases: Aliases): AssetGroup[] | undefined {
  const words = split(text);
  if (words.length === 0) return undefined;
  return words.flatMap((word): AssetGroup[] => {
    const label = /^label:(.+)$/i.exec(word);
    if (label !== null) return [{ kind: 'label', key: sanitizeKey((label[1] ?? '').trim()) }];
    const lower = word.toLowerCase();
    const field: AssetField | undefined =
      lower === 'assettype' ? 'type' : assetFields.find((known) => known.toLowerCase() === lower);
    if (field !== undefined) return [{ kind: 'field', field }];
    return aliasKeys(lower, aliases)?.map((key) => ({ kind: 'alias', key })) ?? unknown(word, assetFields);
  });
}

function split(text: string | undefined): string[] {
  const words = commaList(text);
  if (words.length > mostParts) throw invalid('aggregate', text ?? '', `has more than ${mostParts} parts.`);
  return words;
}

function unknown(word: string, known: readonly string[]): never {
  throw invalid('aggregate', word, `is not one of ${known.join(', ')}, label:KEY or the aliases.`);
}
