import { z } from 'zod';
import { type ClusterId, isClusterId } from '../etl/cluster-id';
import { isWindowId, type WindowId } from '../etl/window';
import type { Version } from '../storage/bucket';
import { type Decision, isDecision, type Seen } from './decision';

/**
 * The schemas in this file check ids, versions and decisions in the bucket's documents. They narrow the type of a
 * string, but do not change its value.
 */

export const clusterIdSchema = z
  .string()
  .refine((text): text is ClusterId => isClusterId(text), { error: 'not a cluster id' });

export const windowIdSchema = z
  .string()
  .refine((text): text is WindowId => isWindowId(text), { error: 'not a window' });

/** Like `Object.keys`, but keeps the type of the keys. Use it only for records whose keys have been validated. */
export function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[];
}

/** Version of an object. Any string is accepted, because each store has its own version format. */
export const versionSchema = z.string().transform((text) => text as Version);

/** Version of an object, or `absent` if the object does not exist. */
export const seenSchema = z.string().transform((text) => text as Seen);

export const decisionSchema = z
  .string()
  .refine((text): text is Decision => isDecision(text), { error: 'not a decision' });
