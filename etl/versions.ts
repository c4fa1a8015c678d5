/** The codec versions of one family of structures that are read and written. */
export interface VersionRange {
  readonly family: string;
  readonly oldest: number;
  readonly newest: number;
}

/** AllocationSet, Allocation and every part of an allocation but windows. */
export const allocationVersions: VersionRange = { family: 'allocations', oldest: 15, newest: 25 };

/**
 * AssetSet, every type of asset and every part of an asset but windows. 15 is left out on purpose: two layouts of
 * ClusterManagement were written under that number.
 */
export const assetVersions: VersionRange = { family: 'assets', oldest: 16, newest: 21 };

/** Windows, wherever they are embedded. One layout in all versions. */
export const windowVersions: VersionRange = { family: 'window', oldest: 15, newest: 18 };
