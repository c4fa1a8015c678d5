import { FederationError } from '../errors/federation-error';
import { commaList } from './comma-list';
import { invalid } from './invalid';
import type { Parameters } from './legacy-filters';
import { onOff } from './parse-parameters';
import type { AllocationRequest } from './request';
import type { RequestDefaults } from './request-defaults';
import { sanitizeKey } from './sanitize';

/**
 * Parses the parameters that say whether the result includes idle cost, and whether that cost is shown or shared.
 * Throws QUERY_INVALID or QUERY_NOT_BUILT.
 */
export function parseIdle(
  parameters: Parameters,
  flavour: RequestDefaults['flavour'],
): AllocationRequest['idle'] {
  const include = parseIncludeIdle(parameters, flavour);
  const share = parseShareIdle(parameters['shareIdle']);
  if (onOff(parameters['includeProportionalAssetResourceCosts']) === true) {
    if (!include) {
      throw invalid('includeProportionalAssetResourceCosts', 'true', 'needs includeIdle=true.');
    }
    throw notBuilt('includeProportionalAssetResourceCosts', 'true');
  }
  return {
    include: include || (share && flavour === 'kubecost'),
    byNode: onOff(parameters['idleByNode']) ?? false,
    split: onOff(parameters['splitIdle']) ?? false,
    share: share && (include || flavour === 'kubecost'),
  };
}

/** Parses the parameters that say which costs are shared among allocations, and how. Throws QUERY_INVALID. */
export function parseSharing(parameters: Parameters): AllocationRequest['sharing'] {
  return {
    namespaces: commaList(parameters['shareNamespaces']),
    labels: commaList(parameters['shareLabels']).map(parseShareLabel),
    monthlyCost: parseAmount(parameters['shareCost']),
    split: parseShareSplit(parameters['shareSplit']),
    tenancy: onOff(parameters['shareTenancyCosts']) ?? false,
  };
}

/**
 * Returns whether the result includes idle cost. OpenCost has only the parameter `includeIdle`, which defaults to
 * false. Kubecost also has `idle`, which takes precedence. If neither is given, Kubecost includes idle cost.
 */
function parseIncludeIdle(parameters: Parameters, flavour: RequestDefaults['flavour']): boolean {
  const include = onOff(parameters['includeIdle']);
  return flavour === 'opencost' ? (include ?? false) : (onOff(parameters['idle']) ?? include ?? true);
}

function parseShareIdle(text: string | undefined): boolean {
  if (text === 'even') throw notBuilt('shareIdle', 'even');
  return text === 'weighted' || onOff(text) === true;
}

function parseShareSplit(text: string | undefined): 'weighted' | 'even' {
  if (text === undefined || text === 'weighted') return 'weighted';
  if (text === 'even') return 'even';
  throw invalid('shareSplit', text, 'is neither weighted nor even.');
}

function parseShareLabel(text: string): { key: string; value: string } {
  const colon = text.indexOf(':');
  if (colon <= 0) throw invalid('shareLabels', text, 'is not of the form key:value.');
  return { key: sanitizeKey(text.slice(0, colon).trim()), value: text.slice(colon + 1).trim() };
}

function parseAmount(text: string | undefined): number {
  if (text === undefined) return 0;
  const amount = /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(amount)) throw invalid('shareCost', text, 'is not an amount.');
  return amount;
}

function notBuilt(parameter: string, value: string): FederationError {
  return new FederationError('QUERY_NOT_BUILT', {
    subject: { parameter },
    detail: `${parameter}=${value} is not part of this version.`,
  });
}
