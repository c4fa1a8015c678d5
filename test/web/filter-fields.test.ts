import { appliesTo, fieldsIn } from '../../web/filter-fields';

describe('the fields in part of a filter', () => {
  it.each([
    ['cluster:"a"', ['cluster']],
    ['controllerKind:"deployment"+controllerName!:"web"', ['controllerKind', 'controllerName']],
    ['(label[app.kubernetes.io/name]<~:"a" | namespace !~>: "node:x","y")', ['label', 'namespace']],
    ['cluster:a+namespace:kube-system', ['cluster', 'namespace']],
    ['annotation~:"url:http"', ['annotation']],
    ['not a filter', []],
  ])('%s are %j', (part, fields) => {
    expect(fieldsIn(part)).toEqual(fields);
  });
});

describe('part of a filter applies', () => {
  it.each([
    ['cluster:"a"', true, true],
    ['label[app]:"a"|team:"b"', true, true],
    ['namespace:"a"', true, false],
    ['cluster:"a"|namespace:"b"', true, false],
    ['assetType:"node"', false, true],
    ['service:"compute"', false, true],
    // The field does not exist. The filter applies to both views, so that the server receives it and reports the error.
    ['nothing:"a"', true, true],
    ['not a filter', true, true],
  ])('%s to allocations: %j, to assets: %j', (part, allocations, assets) => {
    expect([appliesTo('allocation', part), appliesTo('assets', part)]).toEqual([allocations, assets]);
  });
});
