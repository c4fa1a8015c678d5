/** Number of 32-bit words in a hash. With 128 bits, no collisions are expected. */
export const hashWords = 4;

/**
 * A hash table that maps hashes to positive integers. It consists of flat arrays: a `Map` with strings as keys would
 * take six times the memory, and there are millions of entries. Each method takes an array of hashes, with `hashWords`
 * elements per hash, and the index `at` of one hash: 0 for the first hash, 1 for the second.
 */
export class HashIndex {
  private size = 0;
  private words = new Uint32Array(leastSlots * hashWords);
  /** The integer stored in each slot. 0 means that the slot is free. */
  private numbers = new Int32Array(leastSlots);

  /** Returns the integer that is stored for a hash, or 0 if there is none. */
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
    // If more than three quarters of the slots are taken, enlarge the table: in a full table, searches take long.
    if (++this.size * 4 > this.numbers.length * 3) this.grow();
  }

  private put(slot: number, hashes: Uint32Array, at: number, number: number): void {
    for (let word = 0; word < hashWords; word++)
      this.words[slot * hashWords + word] = hashes[at * hashWords + word] ?? 0;
    this.numbers[slot] = number;
  }

  /** Returns the slot that contains a hash. If there is none, returns the free slot in which to store the hash. */
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

/** Initial number of slots. Must be a power of 2. */
const leastSlots = 1_024;
