import { type ByteString, displayTexts } from '../byte-string';
import type { WalkedCluster } from '../pipeline';
import { pipelineSpecs } from '../pipelines';
import type { Pipeline } from '../window';
import { type TableView, textOf } from './string-union';
import type { Walk } from './walk';

/** Collects the cluster names in records, while a walk moves over the records. */
export class WalkedNames {
  private readonly names = new Set<ByteString>();
  private readonly cluster: WalkedCluster;
  /**
   * String index of the last name. Most files contain only one name, so comparing indexes avoids creating a string for
   * each record.
   */
  private last = -1;

  constructor(
    pipeline: Pipeline,
    private readonly walk: Walk,
    private readonly table: TableView,
  ) {
    this.cluster = pipelineSpecs[pipeline].walk.cluster;
  }

  /** Adds the cluster name in the record that the walk has just passed. `start` is where the record's entry starts. */
  pass(start: number): void {
    const { walk, table, cluster } = this;
    const position = cluster.position(walk, start);
    const index = position < 0 ? -1 : walk.view.getInt32(position, true);
    if (index >= 0 && index === this.last) return;
    const name = index < 0 ? '' : textOf(table, index);
    if (name !== '') this.last = index;
    this.names.add(name || cluster.otherwise(walk, start, (other) => textOf(table, other)));
  }

  /** The names found, as readable text, in byte order. */
  get found(): string[] {
    return displayTexts(this.names);
  }
}
