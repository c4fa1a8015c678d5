const shown = 3;

/**
 * Why a file may not be pushed by a cluster that has pulled before; undefined when it may. Combined data that came back
 * as the cluster's own would count every cluster twice, and a cost-model that loads a pulled file may write it again in
 * other bytes: so what counts is whose records are in it. Records without a cluster's name (shared costs, cloud costs)
 * tell nothing.
 */
export function echoFault(clusters: Iterable<string>, own: ReadonlySet<string>): string | undefined {
  const named = [...clusters].filter((name) => name !== '');
  const others = named.filter((name) => !own.has(name));
  if (others.length > 0) {
    const more = others.length > shown ? ` and ${others.length - shown} more` : '';
    return `It holds records of other clusters: ${others.slice(0, shown).join(', ')}${more}.`;
  }
  return named.length === 0 ? 'None of its records names this cluster.' : undefined;
}
