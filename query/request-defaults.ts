import type { Aliases } from './aliases';

/** Defaults for parameters that are missing. */
export interface RequestDefaults {
  /** The API whose defaults apply: those of OpenCost and Kubecost differ. */
  readonly flavour: 'opencost' | 'kubecost';
  /** The current time in unix seconds. */
  readonly now: number;
  readonly utcOffsetSeconds: number;
  readonly aliases: Aliases;
}
