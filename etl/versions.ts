/** The codec versions that are supported for one family of structures. */
export interface VersionRange {
  readonly family: string;
  readonly oldest: number;
  readonly newest: number;
}

/** AllocationSet, Allocation and all parts of an allocation except windows. */
export const allocationVersions: VersionRange = { family: 'allocations', oldest: 15, newest: 25 };

/**
 * AssetSet, all asset types and all parts of an asset except windows. Version 15 is excluded on purpose: two different
 * layouts of ClusterManagement were written with that version.
 */
export const assetVersions: VersionRange = { family: 'assets', oldest: 16, newest: 21 };

/** Windows, wherever they are embedded. All versions have the same layout. */
export const windowVersions: VersionRange = { family: 'window', oldest: 15, newest: 18 };
