/** An allocation in an answer. Only the members that the page reads are listed. */
export interface Allocation {
  readonly name: string;
  readonly start: string;
  readonly end: string;
  readonly window: { readonly start: string; readonly end: string };
  readonly minutes: number;
  readonly cpuCost: number;
  readonly cpuCostAdjustment: number;
  readonly ramCost: number;
  readonly ramCostAdjustment: number;
  readonly gpuCost: number;
  readonly gpuCostAdjustment: number;
  readonly pvCost: number;
  readonly pvCostAdjustment: number;
  readonly networkCost: number;
  readonly networkCostAdjustment: number;
  readonly loadBalancerCost: number;
  readonly loadBalancerCostAdjustment: number;
  readonly sharedCost: number;
  readonly externalCost: number;
  readonly totalCost: number;
  readonly totalEfficiency: number;
}
export type AllocationSets = readonly Readonly<Record<string, Allocation>>[];

/** A summary in an answer. Only the members that the page reads are listed. */
export interface Summary {
  readonly sets: readonly {
    readonly window: { readonly start: string; readonly end: string };
    readonly allocations: Readonly<Record<string, { readonly totalCost: number }>>;
  }[];
}

/** An asset in an answer. Only the members that the page reads are listed. */
export interface Asset {
  readonly type?: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly window: { readonly start: string; readonly end: string };
  readonly minutes: number;
  readonly adjustment: number;
  readonly totalCost: number;
}
export type AssetSet = Readonly<Record<string, Asset>>;
/** A list of sets, or a single set if the server answers in OpenCost's format. */
export type AssetSets = readonly AssetSet[] | AssetSet;
