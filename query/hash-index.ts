/** Words of 32 bits in a hash. With 128 bits no two things ever have the same one. */
export const hashWords = 4;

/**
 * Whole numbers from 1 on by hashes, in flat memory: a `Map` of texts takes six times as much, and there are millions.
 * A hash is `hashWords` words of an array; it is named by the array and the number of the hash in it.
 */
export class HashIndex {
  private size = 0;
  private words = new Uint32Array(leastSlots * hashWords);
  /** 0: the slot is free. */
  private numbers = new Int32Array(leastSlots);

  /** The number of a hash; 0 when it has none. */
  get(hashes: Uint32Array, at: number): number {
    return this.numbers[this.slotOf(hashes, at)] ?? 0;
  }

  set(hashes: Uint32Array, at: number, number: number): void {
    const slot = this.slotOf(hashes, at);
    if (this.numbers[slot] !== 0) {
      this.numbers[slot] = number;
      return;
    }
    this.put(slot, hashes, at, number);
    // Full ones make for long searches.
    if (++this.size * 4 > this.numbers.length * 3) this.grow();
  }

  private put(slot: number, hashes: Uint32Array, at: number, number: number): void {
    for (let word = 0; word < hashWords; word++)
      this.words[slot * hashWords + word] = hashes[at * hashWords + word] ?? 0;
    this.numbers[slot] = number;
  }

  /** The slot that a hash is in, or the free one where it belongs. */
  private slotOf(hashes: Uint32Array, at: number): number {
    const { words, numbers } = this;
    const last = numbers.length - 1;
    const from = at * hashWords;
    let slot = (hashes[from] ?? 0) & last;
    while (numbers[slot] !== 0) {
      const own = slot * hashWords;
      if (
        words[own] === hashes[from] &&
        words[own + 1] === hashes[from + 1] &&
        words[own + 2] === hashes[from + 2] &&
        words[own + 3] === hashes[from + 3]
      )
        return slot;
      slot = (slot + 1) & last;
    }
    return slot;
  }

  private grow(): void {
    const { words, numbers } = this;
    this.words = new Uint32Array(words.length * 2);
    this.numbers = new Int32Array(numbers.length * 2);
    for (const [slot, number] of numbers.entries())
      if (number !== 0) this.put(this.slotOf(words, slot), words, slot, number);
  }
}

/** A power of 2. */
const leastSlots = 1_024;
