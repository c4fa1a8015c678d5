import { z } from 'zod';
import { pipelines } from '../etl/window';

/** The programs that wrote and pushed a cluster's files, as far as the metadata of its newest file says. */
export const inventorySchema = z.object({
  /** Version of Federated ETL that pushed the file, as `programVersion` returns it. */
  program: z.string().optional(),
  /** Go package of the agent's asset types; see `WrittenBy`. */
  agent: z.string().optional(),
  /** Codec version of the cluster's newest file of each pipeline. */
  codecs: z.partialRecord(z.enum(pipelines), z.number().int()),
});
export type Inventory = z.infer<typeof inventorySchema>;

/** Returns an inventory as the metadata of a pushed object: `program`, `agent`, and `codecs` (`allocations/25 …`). */
export function inventoryMetadata({ program, agent, codecs }: Inventory): Record<string, string> {
  const list = pipelines.flatMap((pipeline) => {
    const codec = codecs[pipeline];
    return codec === undefined ? [] : [`${pipeline}/${codec}`];
  });
  return {
    ...(program !== undefined && { program }),
    ...(agent !== undefined && { agent }),
    ...(list.length > 0 && { codecs: list.join(' ') }),
  };
}

/**
 * Parses the metadata of a pushed object. Ignores values that `inventoryMetadata` cannot have written, because other
 * programs may write to the bucket, too. If Federated ETL did not push the object, the inventory is empty.
 */
export function parseInventory({ program, agent, codecs }: Readonly<Record<string, string>>): Inventory {
  const found: Inventory['codecs'] = {};
  for (const part of codecs?.split(' ') ?? []) {
    const [, name, number] = /^(\w+)\/(\d{1,4})$/.exec(part) ?? [];
    const pipeline = pipelines.find((one) => one === name);
    if (pipeline !== undefined) found[pipeline] = Number(number);
  }
  return {
    ...(program !== undefined && /^[\w.()+ -]{1,100}$/.test(program) && { program }),
    ...(agent !== undefined && /^[\w./-]{1,200}$/.test(agent) && { agent }),
    codecs: found,
  };
}
