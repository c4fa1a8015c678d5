import { generate } from 'selfsigned';

const subject = (value: string) => [{ name: 'commonName', value }];
const shared = { keyType: 'ec', algorithm: 'sha256' } as const;

/** Times between which a certificate is valid. */
export interface Validity {
  readonly notBeforeDate: Date;
  readonly notAfterDate: Date;
}

/** A validity that ended in 2021, and one that begins in 2999. */
export const expired: Validity = {
  notBeforeDate: new Date('2020-01-01T00:00:00Z'),
  notAfterDate: new Date('2021-01-01T00:00:00Z'),
};
export const notYetValid: Validity = {
  notBeforeDate: new Date('2999-01-01T00:00:00Z'),
  notAfterDate: new Date('3000-01-01T00:00:00Z'),
};

/**
 * Creates a certificate authority, and the certificates of a server at 127.0.0.1 and of a client, which this authority
 * has signed. `server` has the form of Node's options of a server, `client` that of Temporal's variables.
 */
export async function makeCertificates(validity: { server?: Validity; client?: Validity } = {}) {
  const authority = await generate(subject('authority'), {
    ...shared,
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  });
  const ca = { key: authority.private, cert: authority.cert };
  const server = await generate(subject('localhost'), {
    ...shared,
    ...validity.server,
    ca,
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  const client = await generate(subject('a client'), { ...shared, ...validity.client, ca });
  return {
    server: { key: server.private, cert: server.cert, ca: authority.cert },
    client: { ca: authority.cert, crt: client.cert, key: client.private },
  };
}
