/** Something to be read, and how much memory it takes. */
export interface Readable<T> {
  readonly bytes: number;
  read(): Promise<T>;
}

/** What is read but not taken yet, at most: so much is on its way while one is worked on. */
const most = 8;
const mostBytes = 16 * 1024 * 1024;

/** Reads things in order, ahead of being asked for them, so that whoever works on them waits for none but the first. */
export class ReadAhead<T> {
  private readonly begun = new Map<number, Promise<T>>();
  private bytes = 0;
  private next = 0;

  constructor(private readonly all: readonly Readable<T>[]) {}

  /** Gives one, and goes on with those behind it. Asked for one further back, it starts again from there. */
  async take(index: number): Promise<T> {
    if (!this.begun.has(index)) {
      this.begun.clear();
      this.bytes = 0;
      this.next = index;
    }
    this.goOn();
    const taken = this.begun.get(index);
    if (taken === undefined) throw new RangeError(`There is nothing at ${index} to read.`);
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
      // It is told when it is taken, if it ever is.
      reading.catch(() => undefined);
      this.begun.set(this.next, reading);
      this.bytes += one.bytes;
    }
  }
}
