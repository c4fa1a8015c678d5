import { byBytes } from '../federation/byte-order';
import { count } from '../federation/count';
import { type Generation, openQuarantined, quarantineState, shrunkSources } from '../federation/generation';
import { shortList } from '../query/notes';

/** For how long after its removal the notes mention a removed cluster, in milliseconds. */
const removalIsNewsMs = 30 * 86_400_000;

type Notable = Pick<Generation, 'membership' | 'quarantined' | 'shrunk'>;

/**
 * Returns sentences about what readers of the costs should know: which files are quarantined instead of merged, which
 * files have become much smaller, and which clusters were removed in the last 30 days. Excluded clusters are not
 * mentioned, because every answer to a query names them.
 */
export function notesOnCosts(generation: Notable, now: number): string[] {
  return [...aboutQuarantined(generation), ...aboutShrunk(generation), ...aboutRemoved(generation, now)];
}

function aboutQuarantined(generation: Notable): string[] {
  const found = byCluster(openQuarantined(generation), (sources) => {
    const kept = sources.filter((source) => quarantineState(source) === 'kept').length;
    const refused = sources.length - kept;
    return [
      ...(kept === 0 ? [] : [`last good data in ${count(kept, 'window')}`]),
      ...(refused === 0 ? [] : [`no data in ${count(refused, 'window')}`]),
    ].join(', ');
  });
  return found.length === 0 ? [] : [`Files that cannot be used are quarantined: ${shortList(found)}.`];
}

function aboutShrunk(generation: Notable): string[] {
  const found = byCluster(shrunkSources(generation), ({ length }) => count(length, 'window'));
  return found.length === 0 ? [] : [`Files that have shrunk count as they are: ${shortList(found)}.`];
}

function aboutRemoved({ membership: { removed } }: Notable, now: number): string[] {
  const found = Object.entries(removed).flatMap(([cluster, { by, reason, at }]) =>
    now - Date.parse(at) > removalIsNewsMs
      ? []
      : [`${cluster} (${at.slice(0, 10)}, by ${by}${reason === '' ? '' : `: ${reason}`})`],
  );
  return found.length === 0 ? [] : [`Removed from the federation, with all costs: ${shortList(found)}.`];
}

/** Returns one item per cluster: its id and, in parentheses, what `describe` returns for its sources. */
function byCluster<Source extends { readonly cluster: string }>(
  sources: readonly Source[],
  describe: (sources: readonly Source[]) => string,
): string[] {
  return [...Map.groupBy(sources, ({ cluster }) => cluster)]
    .sort(([a], [b]) => byBytes(a, b))
    .map(([cluster, group]) => `${cluster} (${describe(group)})`);
}
