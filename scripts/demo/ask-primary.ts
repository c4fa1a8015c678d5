import { FederationError } from '../../errors/federation-error';
import { until } from './until';

interface ServedStatus {
  readonly served: { readonly generation?: number };
}

/** Cost of a cluster, as reported by the primary's API. */
export interface ClusterCost {
  readonly cluster: string;
  readonly totalCost: number;
}

/** Returns the API URL for the cost of each cluster in a window. */
export function costsUrl(url: string, window: string): string {
  return `${url}/model/allocation?window=${window}&aggregate=cluster&accumulate=true&idle=false`;
}

/**
 * Waits until a primary's API serves the given generation (version of the combined data) or a newer one. Then asks it
 * for the cost of each cluster in a window, highest cost first.
 */
export async function askPrimary(
  url: string,
  window: string,
  generation: number,
  patienceMs: number,
  stop: AbortSignal,
): Promise<ClusterCost[]> {
  await until(`the API to serve generation ${generation}`, patienceMs, stop, async () => {
    const status = await get<ServedStatus>(`${url}/api/status`, stop).catch(() => undefined);
    return (status?.served.generation ?? 0) >= generation ? status : undefined;
  });
  const [set = {}] = await get<Record<string, { name: string; totalCost: number }>[]>(
    costsUrl(url, window),
    stop,
  );
  return Object.values(set).map(({ name, totalCost }) => ({ cluster: name, totalCost }));
}

async function get<T>(url: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(url, { signal });
  const { data, message } = (await response.json()) as { data: T; message?: string };
  if (response.ok) return data;
  throw new FederationError('FEDERATION_FAILED', {
    subject: { key: url },
    detail: message ?? `The primary answered with status ${response.status}.`,
    hint: 'Look at the log of the primary.',
  });
}
