import { inventoryMetadata, parseInventory } from '../../federation/inventory';

test.each([
  { codecs: {} },
  { program: '0.1.0 (1a2b3c4)', codecs: { assets: 21 } },
  {
    program: '0.1.0',
    agent: 'github.com/opencost/opencost/core/pkg/opencost',
    codecs: { allocations: 25, assets: 21 },
  },
])('an inventory survives the metadata of an object: %j', (inventory) => {
  expect(parseInventory(inventoryMetadata(inventory))).toEqual(inventory);
});

test('values that the program does not write are ignored', () => {
  const metadata = {
    program: '\u001b[31m',
    agent: 'a b',
    codecs: 'allocations/x networks/1 assets/21 constructor/2',
  };
  expect(parseInventory({ ...metadata, sha256: 'a' })).toEqual({ codecs: { assets: 21 } });
});
