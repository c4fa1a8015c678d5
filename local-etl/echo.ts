const shown = 3;

/**
 * Returns why a cluster that has pulled before may not push a file, or undefined if it may. Combined data that is
 * pushed as the cluster's own would count every cluster twice. A cost-model that loads a pulled file may rewrite it
 * with different bytes, so the file is judged by the clusters named in its records. Records without a cluster name
 * (shared costs, cloud costs) are ignored.
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
