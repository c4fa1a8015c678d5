/** The supported codec versions of a family of structures. */
export interface VersionRange {
  readonly family: string;
  readonly oldest: number;
  readonly newest: number;
}

/** Versions of AllocationSet, Allocation and all parts of an allocation, except windows. */
export const allocationVersions: VersionRange = { family: 'allocations', oldest: 15, newest: 25 };

/**
 * Versions of AssetSet, all asset types and all parts of an asset, except windows. Version 15 is excluded on purpose:
 * files of that version may have either of two layouts of ClusterManagement.
 */
export const assetVersions: VersionRange = { family: 'assets', oldest: 16, newest: 21 };

/** Versions of windows, in whatever structure they are. The layout is the same in all versions. */
export const windowVersions: VersionRange = { family: 'window', oldest: 15, newest: 18 };
