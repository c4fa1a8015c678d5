import type { Aliases } from './aliases';

/** Defaults for missing parameters. */
export interface RequestDefaults {
  /** OpenCost and Kubecost have different defaults. */
  readonly flavour: 'opencost' | 'kubecost';
  /** Unix seconds. */
  readonly now: number;
  readonly utcOffsetSeconds: number;
  readonly aliases: Aliases;
}
