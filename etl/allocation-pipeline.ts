import { addAllocations } from './add-allocations';
import { allocation, allocationHours, allocationVersion } from './allocation-codec';
import type { ByteString } from './byte-string';
import { bool, embedded, map, optional } from './codec';
import { allocationCost } from './cost';
import { hasRecords } from './model';
import type { PipelineSpec } from './pipeline';
import { watchWindow } from './splice/hooks';
import { spanOf } from './time-window';
import { allocationVersions } from './versions';

/**
 * Byte offset of an allocation's name in an entry, after the key (4 bytes), flag (1), compatibility word (4) and
 * version (1).
 */
const nameOffset = 4 + 1 + 4 + 1;
/**
 * Byte offset of an allocation's properties, which follow the name. They begin with a flag (1 byte), a compatibility
 * word (4) and a version (1). If the flag says that there are properties, the first one is the name of the cluster.
 */
const propertiesOffset = nameOffset + 4;
const clusterOffset = propertiesOffset + 1 + 4 + 1;

const names = map(bool);

export const allocationPipeline: PipelineSpec<'allocations'> = {
  setName: 'AllocationSet',
  versions: allocationVersions,
  record: optional(embedded(allocation)),
  own: { externalKeys: { at: 'after', codec: names }, idleKeys: { at: 'after', codec: names } },
  versionOf: allocationVersion,
  clusterOf: ({ properties, name }) => properties?.cluster || firstPart(name),
  addHours: allocationHours,
  costOf: allocationCost,
  identity: ({ name }) => name,
  merging: (sets) => {
    const filled = sets.filter(hasRecords);
    return {
      window: spanOf((filled.length > 0 ? filled : sets).map(({ window }) => window)),
      facts: {},
      identity: ({ name }) => name,
      add: addAllocations,
    };
  },
  marks: { externalKeys: '__external__', idleKeys: '__idle__' },
  hasOtherIdentities: () => false,
  walk: {
    hooks: { window: watchWindow },
    identity: { offset: nameOffset },
    cluster: {
      position: ({ bytes }, start) => (bytes[start + propertiesOffset] === 1 ? start + clusterOffset : -1),
      otherwise: ({ view }, start, text) => firstPart(text(view.getInt32(start + nameOffset, true))),
    },
  },
};

function firstPart(name: ByteString): ByteString {
  return name.slice(0, (name + '/').indexOf('/'));
}
