/** What the page reads of an allocation. */
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

/** What the page reads of a summary. */
export interface Summary {
  readonly sets: readonly {
    readonly window: { readonly start: string; readonly end: string };
    readonly allocations: Readonly<Record<string, { readonly totalCost: number }>>;
  }[];
}

/** What the page reads of an asset. */
export interface Asset {
  readonly type?: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly window: { readonly start: string; readonly end: string };
  readonly minutes: number;
  readonly adjustment: number;
  readonly totalCost: number;
}
export type AssetSet = Readonly<Record<string, Asset>>;
/** A list of sets or, where the operator wants it as OpenCost has it, one alone. */
export type AssetSets = readonly AssetSet[] | AssetSet;
