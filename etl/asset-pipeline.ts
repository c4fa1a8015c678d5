import { addAssets } from './add-assets';
import { asset, assetHours, assetVersion } from './asset-codec';
import { assetIdentity } from './asset-identity';
import { propertyOrder } from './asset-properties';
import { list, optional, str } from './codec';
import { assetCost } from './cost';
import type { PipelineSpec } from './pipeline';
import { noteProperties, watchWindow } from './splice/hooks';
import { hasUsualKey } from './splice/usual-key';
import { spanOf } from './time-window';
import { assetVersions } from './versions';

/**
 * Byte offset of the cluster's name within an asset's properties. Each property is stored as a string index (4 bytes).
 */
const clusterOffset = 4 * propertyOrder.indexOf('cluster');

export const assetPipeline: PipelineSpec<'assets'> = {
  setName: 'AssetSet',
  versions: assetVersions,
  // Do not wrap `asset` in `embedded`, which reads a 32-bit compatibility word before the structure. In an asset, the
  // type name comes before that word, so `asset` reads both itself.
  record: optional(asset),
  own: { aggregationKeys: { at: 'before', codec: list(str) } },
  versionOf: assetVersion,
  clusterOf: ({ properties }) => properties?.cluster ?? '',
  addHours: assetHours,
  costOf: assetCost,
  identity: (record) => assetIdentity(record, null),
  merging: (sets) => {
    const windows = sets.map(({ window }) => window);
    const window = spanOf(windows);
    const windowsSoFar = windows.map((_, index) => spanOf(windows.slice(0, index + 1)));
    const aggregationKeys = sets.find((set) => set.aggregationKeys?.length)?.aggregationKeys ?? null;
    return {
      window,
      facts: { aggregationKeys },
      identity: (record) => assetIdentity(record, aggregationKeys),
      add: (a, b, index) => addAssets(a, b, windowsSoFar[index] ?? window),
    };
  },
  marks: {},
  hasOtherIdentities: ({ aggregationKeys }) => (aggregationKeys?.length ?? 0) > 0,
  walk: {
    hooks: { window: watchWindow, properties: noteProperties },
    identity: { isKey: hasUsualKey },
    cluster: {
      position: ({ properties }) => (properties < 0 ? -1 : properties + clusterOffset),
      otherwise: () => '',
    },
  },
};
