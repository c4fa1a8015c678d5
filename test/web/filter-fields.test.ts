import { appliesTo, fieldsIn } from '../../web/filter-fields';

describe('the fields of a part of a filter', () => {
  it.each([
    ['cluster:"a"', ['cluster']],
    ['controllerKind:"deployment"+controllerName!:"web"', ['controllerKind', 'controllerName']],
    ['(label[app.kubernetes.io/name]<~:"a" | namespace !~>: "node:x","y")', ['label', 'namespace']],
    ['cluster:a+namespace:kube-system', ['cluster', 'namespace']],
    ['annotation~:"url:http"', ['annotation']],
    ['what is none', []],
  ])('%s are %j', (part, fields) => {
    expect(fieldsIn(part)).toEqual(fields);
  });
});

describe('a part of a filter applies', () => {
  it.each([
    ['cluster:"a"', true, true],
    ['label[app]:"a"|team:"b"', true, true],
    ['namespace:"a"', true, false],
    ['cluster:"a"|namespace:"b"', true, false],
    ['assetType:"node"', false, true],
    ['service:"compute"', false, true],
    // Nobody knows it, so the server is asked, and says so.
    ['nothing:"a"', true, true],
    ['what is none', true, true],
  ])('%s to allocations: %j, to assets: %j', (part, allocations, assets) => {
    expect([appliesTo('allocation', part), appliesTo('assets', part)]).toEqual([allocations, assets]);
  });
});
