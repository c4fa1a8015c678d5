/** Number of 32-bit words per hash. At 128 bits, no collisions are expected. */
export const hashWords = 4;

/**
 * Maps hashes to positive integers. It consists of flat arrays: with millions of entries, a `Map` of strings would take
 * six times the memory. Methods take a hash as an array of hashes and an index: each hash takes `hashWords` words of
 * the array.
 */
export class HashIndex {
  private size = 0;
  private words = new Uint32Array(leastSlots * hashWords);
  /** The integer in each slot; 0 marks a free slot. */
  private numbers = new Int32Array(leastSlots);

  /** Returns the integer of a hash, or 0 if it is unknown. */
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
    // Grow once three quarters of the slots are taken: the fuller the table, the more slots a search has to visit.
    if (++this.size * 4 > this.numbers.length * 3) this.grow();
  }

  private put(slot: number, hashes: Uint32Array, at: number, number: number): void {
    for (let word = 0; word < hashWords; word++)
      this.words[slot * hashWords + word] = hashes[at * hashWords + word] ?? 0;
    this.numbers[slot] = number;
  }

  /** Returns the slot of a hash, or the free slot where it belongs. */
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
