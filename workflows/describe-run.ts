import { literalMarkdown } from '../etl/visible-text';
import { count, describeSourcesToSee } from '../federation/count';
import type { FederationProgress } from './messages';

/**
 * Describes the progress of a run as Markdown, shown as the workflow's current details in the Temporal UI. The UI shows
 * only a few lines, so quarantined and shrunk sources come near the top.
 */
export function describeRun(state: FederationProgress): string {
  const toSee = describeSourcesToSee(state);
  const lines = [
    `**${state.phase}**${state.attempt > 1 ? ` (plan ${state.attempt})` : ''}`,
    toSee === '' ? '' : `**${toSee}**: see \`federated-etl quarantine\``,
    state.excluded.length > 0
      ? `Excluded: ${state.excluded.slice(0, 5).map(literalMarkdown).join(', ')}${state.excluded.length > 5 ? ', …' : ''}`
      : '',
    state.attempt > 0
      ? `${count(state.clusters, 'cluster')}, ${count(state.windows, 'window')}, ${state.merged} of ${state.planned} merged`
      : '',
    state.generation !== undefined
      ? `Generation ${state.generation}`
      : state.attempt > 0
        ? `From generation ${state.base}`
        : '',
  ];
  return lines.filter((line) => line !== '').join('\n\n');
}
