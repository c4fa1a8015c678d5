import type { Aliases } from './aliases';

/** Defaults for parameters that are missing. */
export interface RequestDefaults {
  /** Selects the API to follow: OpenCost and Kubecost have different defaults. */
  readonly flavour: 'opencost' | 'kubecost';
  /** The current time in unix seconds. */
  readonly now: number;
  readonly utcOffsetSeconds: number;
  readonly aliases: Aliases;
}
