import { Crc32c } from '../../storage/drivers/gcs-crc32c';

// Examples from RFC 3720, appendix B.4, and the standard check value for CRCs: the checksum of `123456789`.
test.each([
  ['nothing', Buffer.alloc(0), '00000000'],
  ['nine digits', Buffer.from('123456789'), 'e3069283'],
  ['zeros', Buffer.alloc(32), '8a9136aa'],
  ['ones', Buffer.alloc(32, 0xff), '62a8ab43'],
  ['numbers upwards', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), '46dd794e'],
  ['numbers downwards', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), '113fdb5c'],
])('the checksum of %s, in pieces of any size, is the published one', (_, bytes, sum) => {
  for (let size = 1; size <= 33; size += 1) {
    const checksum = new Crc32c();
    for (let at = 0; at < bytes.length; at += size) checksum.update(bytes.subarray(at, at + size));
    expect(checksum.toString()).toBe(Buffer.from(sum, 'hex').toString('base64'));
  }
});
