import { FederationError } from '../errors/federation-error';
import type { Damage } from './document';
import type { Generation } from './generation';

/** A generation whose document is damaged. */
export interface DamagedGeneration extends Damage {
  readonly generation: number;
}

/** The newest generation that can be read, and the damaged generations that are newer. */
export interface NewestReadable {
  /** Undefined if no generation can be read, or nothing has been committed yet. */
  readonly generation?: Generation;
  /** The damaged generations that are newer than `generation`, newest first. Usually there are none. */
  readonly damaged: readonly DamagedGeneration[];
}

/** Returns the number of the newest generation, even if it is damaged; 0 if nothing has been committed yet. */
export function newestNumber({ damaged, generation }: NewestReadable): number {
  return damaged[0]?.generation ?? generation?.generation ?? 0;
}

/**
 * Returns the newest generation; undefined if nothing has been committed yet.
 *
 * @throws GENERATION_UNREADABLE if it is damaged
 */
export function requireNewest(found: NewestReadable): Generation | undefined {
  if (found.damaged.length > 0) throw newestUnreadable(found);
  return found.generation;
}

/**
 * Creates the error for a damaged newest generation. The error names the generation from which a run can start instead.
 */
function newestUnreadable(found: NewestReadable): FederationError {
  const [newest] = found.damaged;
  return new FederationError('GENERATION_UNREADABLE', {
    subject: { key: newest?.key },
    detail: describeDamaged(found).join(' '),
    hint: wayOut(found),
    retryable: false,
  });
}

/**
 * Describes the damaged generations that are newer than the newest readable one, and names the readable one. Returns an
 * empty list if no generation is damaged.
 */
export function describeDamaged({ damaged, generation }: NewestReadable): string[] {
  if (damaged.length === 0) return [];
  return [
    ...damaged.map(describeDamagedGeneration),
    generation === undefined
      ? 'No generation can be read.'
      : `Generation ${generation.generation} is the newest that can be read.`,
  ];
}

export function describeDamagedGeneration({ generation, key, detail }: DamagedGeneration): string {
  return `Generation ${generation} is damaged (${key}): ${detail}`;
}

/** Describes the damaged generations, if there are any, and says what the operator can do. */
export function adviseOnDamaged(found: NewestReadable): string[] {
  return found.damaged.length === 0 ? [] : [...describeDamaged(found), wayOut(found)];
}

/** Returns a text that says what the operator can do if the newest generation is damaged. */
export function wayOut({ generation, damaged }: NewestReadable): string {
  const keys = damaged.map(({ key }) => key).join(', ');
  return generation === undefined
    ? `Put back ${keys} from the store’s older versions or from a backup of the bucket. Without either, delete what is damaged: the next federation then starts from the clusters’ files.`
    : `Run \`federated-etl federate --from ${generation.generation} --wait\`, which commits under a new number what the clusters’ files give now; or \`federated-etl rollback ${generation.generation}\`, which brings back generation ${generation.generation} as it is. Until then no federation commits.`;
}
