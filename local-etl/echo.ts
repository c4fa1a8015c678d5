const shown = 3;

/**
 * Returns why a cluster that has pulled before may not push a file, or undefined if it may. If a cluster pushed
 * combined data as its own, the costs of every cluster would be counted twice. A digest does not always identify
 * combined data, since a cost-model that loads a pulled file may rewrite it with different bytes. So the file is judged
 * by the cluster names in its records. Records without a cluster name (shared costs, cloud costs) are ignored.
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
