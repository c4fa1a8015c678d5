/** An item that can be read, and the number of bytes that it occupies in memory. */
export interface Readable<T> {
  readonly bytes: number;
  read(): Promise<T>;
}

/** Maximum number of items read ahead, including those still being read. */
const most = 8;
const mostBytes = 16 * 1024 * 1024;

/** Reads items in order, ahead of the consumer's requests. Ideally, the consumer waits only for the first item. */
export class ReadAhead<T> {
  private readonly begun = new Map<number, Promise<T>>();
  private bytes = 0;
  private next = 0;

  constructor(private readonly all: readonly Readable<T>[]) {}

  /**
   * Returns an item and starts to read the next ones. If the item has not been read ahead, for example because it has
   * been returned before, starts over from this item.
   */
  async take(index: number): Promise<T> {
    if (!this.begun.has(index)) {
      this.begun.clear();
      this.bytes = 0;
      this.next = index;
    }
    this.goOn();
    const taken = this.begun.get(index);
    if (taken === undefined) throw new RangeError(`There is no item ${index} to read.`);
    const read = await taken;
    if (this.begun.delete(index)) this.bytes -= this.all[index]?.bytes ?? 0;
    this.goOn();
    return read;
  }

  private goOn(): void {
    for (let one = this.all[this.next]; one !== undefined; one = this.all[++this.next]) {
      const isRoom = this.begun.size < most && this.bytes + one.bytes <= mostBytes;
      if (!isRoom && this.begun.size > 0) return;
      const reading = one.read();
      // Prevent an unhandled rejection. If the item is requested later, `take` still throws the error.
      reading.catch(() => undefined);
      this.begun.set(this.next, reading);
      this.bytes += one.bytes;
    }
  }
}
