import dns from 'node:dns';

type Found = (error: null, address: string | object[], family?: number) => void;

/** Makes all host names resolve to this machine, until the mock is restored. */
export function everyNameHere(): jest.SpyInstance {
  return jest
    .spyOn(dns, 'lookup')
    .mockImplementation(((_: string, options: object, found: Found) =>
      'all' in options && options.all === true
        ? found(null, [{ address: '127.0.0.1', family: 4 }])
        : found(null, '127.0.0.1', 4)) as typeof dns.lookup);
}
