import { allocationCost, assetCost, costRoles } from '../../etl/cost';
import type { Allocation, Asset, AssetType } from '../../etl/model';
import { allocation, asset } from './build-records';

const assetTypes = Object.keys(costRoles).filter((name) => name !== 'allocation') as AssetType[];
const records: [string, Allocation | Asset, Readonly<Record<string, string>>][] = [
  ['allocation', allocation('a/b/c/d/e'), costRoles.allocation],
  ...assetTypes.map((type): [string, Asset, Readonly<Record<string, string>>] => [
    type,
    // Give the node a cost. Without one, changing its discount would have no effect.
    type === 'Node' ? asset(type, { cpuCost: 5 }) : asset(type),
    costRoles[type],
  ]),
];

describe.each(records)('the cost of %s', (_, record, roles) => {
  const costOf = (one: Allocation | Asset) => ('type' in one ? assetCost(one) : allocationCost(one));
  test.each(Object.entries(roles))('adding 1 to %s: it %s', (name, role) => {
    const before = (record as unknown as Record<string, number | null>)[name] ?? 0;
    const after = costOf({ ...record, [name]: before + 1 });
    expect(after !== costOf(record)).toBe(role === 'counts');
  });
});
