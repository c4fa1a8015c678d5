import { proxyNotice } from '../../config/temporal-proxy';

const proxy = 'http://proxy.test:3128';

it.each(['grpc_proxy', 'https_proxy', 'http_proxy'])(
  '%s is named if only clients would follow it',
  (name) => {
    const notice = proxyNotice({ [name]: proxy }, 'temporal.test:7233');
    expect(notice).toContain(`${name} is set`);
    expect(notice).toContain('add temporal.test to no_proxy');
    expect(notice).not.toContain(proxy);
  },
);

it.each([
  ['temporal.test:7233', 'no_proxy', 'temporal.test'],
  ['temporal.test:7233', 'no_proxy', 'other,.test'],
  ['temporal.test:7233', 'no_grpc_proxy', 'test'],
  ['10.1.2.3:7233', 'no_proxy', '10.0.0.0/8'],
  ['[::1]:7233', 'no_proxy', '::1'],
])('nothing is said of %s, which %s=%s excepts', (address, name, value) => {
  expect(proxyNotice({ http_proxy: proxy, [name]: value }, address)).toBeUndefined();
});

it('nothing is said without a proxy, or of another network', () => {
  expect(proxyNotice({ HTTPS_PROXY: proxy, http_proxy: '' }, 'temporal.test:7233')).toBeUndefined();
  expect(proxyNotice({ http_proxy: proxy, no_proxy: '10.0.0.0/8' }, '11.1.2.3:7233')).toBeDefined();
});
