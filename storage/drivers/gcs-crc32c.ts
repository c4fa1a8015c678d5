import { crc32c } from '@node-rs/crc32';

/** Computes the CRC32C of bytes that arrive in chunks. */
export class Crc32c {
  #sum = 0;

  update(bytes: Uint8Array): void {
    this.#sum = crc32c(bytes, this.#sum);
  }

  /** Returns the checksum in the format of GCS: base64 of the four bytes, most significant byte first. */
  toString(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#sum);
    return bytes.toString('base64');
  }
}
