import type { Aliases } from './aliases';

/** Defaults for parsing the parameters of a request. */
export interface RequestDefaults {
  /** The API that receives the request. OpenCost's defaults differ from Kubecost's. */
  readonly flavour: 'opencost' | 'kubecost';
  /** The current time in unix seconds. */
  readonly now: number;
  readonly utcOffsetSeconds: number;
  readonly aliases: Aliases;
}
