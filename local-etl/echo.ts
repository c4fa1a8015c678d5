const shown = 3;

/**
 * Checks whether a file may be pushed (uploaded to the bucket as the cluster's own data). Use this after the cluster
 * has pulled (replaced its local files with the combined data of all clusters). Returns the reason why the file may not
 * be pushed, or undefined if it may.
 *
 * If a cluster pushed a pulled file as its own data, all costs would be counted twice. A digest does not always
 * identify a pulled file, because a cost-model that loads the file may rewrite it with different bytes. So this
 * function checks the cluster names in the file's records: all of them must be the cluster's own. Records without a
 * cluster name (shared costs, cloud costs) are ignored.
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
