/** The supported codec versions of a family of structures, such as allocations and their parts. */
export interface VersionRange {
  readonly family: string;
  readonly oldest: number;
  readonly newest: number;
}

/** Codec versions of allocation sets, allocations and all their parts except windows, which have a separate codec. */
export const allocationVersions: VersionRange = { family: 'allocations', oldest: 15, newest: 25 };

/**
 * Codec versions of asset sets, assets and all their parts except windows, which have a separate codec. Version 15 is
 * not supported, because files of this version have one of two different layouts for ClusterManagement.
 */
export const assetVersions: VersionRange = { family: 'assets', oldest: 16, newest: 21 };

/** Codec versions of windows, in all structures that contain a window. All of these versions have the same layout. */
export const windowVersions: VersionRange = { family: 'window', oldest: 15, newest: 18 };
