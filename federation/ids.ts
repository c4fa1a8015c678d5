import { z } from 'zod';
import { type ClusterId, isClusterId } from '../etl/cluster-id';
import { isWindowId, type WindowId } from '../etl/window';
import type { Version } from '../storage/bucket';
import { type Decision, isDecision, type Seen } from './decision';

/**
 * Schemas for the ids, versions and decisions in the bucket's documents. They check a text and narrow its type, but do
 * not change it.
 */

export const clusterIdSchema = z
  .string()
  .refine((text): text is ClusterId => isClusterId(text), { error: 'not a cluster id' });

export const windowIdSchema = z
  .string()
  .refine((text): text is WindowId => isWindowId(text), { error: 'not a window' });

/** Like `Object.keys`, but keeps the type of the keys. For records whose keys have been checked. */
export function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[];
}

/** Accepts any text, as each store has its own format of versions. */
export const versionSchema = z.string().transform((text) => text as Version);

/** A version, or `absent`. */
export const seenSchema = z.string().transform((text) => text as Seen);

export const decisionSchema = z
  .string()
  .refine((text): text is Decision => isDecision(text), { error: 'not a decision' });
