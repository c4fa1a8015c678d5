import type { WrittenBy } from '../etl/set-facts';
import { parseWindowFile, type Pipeline, pipelines } from '../etl/window';
import type { Inventory } from '../federation/inventory';

/** The facts about a pushed file that the inventory needs. */
export interface WrittenFile {
  readonly path: string;
  readonly mtimeMs: number;
  readonly written: WrittenBy;
}

/**
 * Keeps, for each pipeline, what the newest file says about the agent that wrote it. The newest file is the one that
 * was modified last.
 */
export class NewestWritten {
  private readonly newest = new Map<Pipeline, WrittenFile>();

  constructor(files: Iterable<WrittenFile>) {
    for (const file of files) this.add(file);
  }

  add(file: WrittenFile): void {
    const pipeline = parseWindowFile(file.path)?.ref.pipeline;
    if (pipeline === undefined) return;
    const other = this.newest.get(pipeline);
    if (other === undefined || other.mtimeMs <= file.mtimeMs) this.newest.set(pipeline, file);
  }

  inventory(): Pick<Inventory, 'agent' | 'codecs'> {
    const found = pipelines.flatMap((pipeline) => {
      const written = this.newest.get(pipeline)?.written;
      return written === undefined ? [] : [{ pipeline, ...written }];
    });
    const agent = found.find((one) => one.package !== undefined)?.package;
    return {
      ...(agent !== undefined && { agent }),
      codecs: Object.fromEntries(found.map(({ pipeline, codec }) => [pipeline, codec])),
    };
  }
}
