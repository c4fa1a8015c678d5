import { resolve } from 'node:path';
import type { Command } from 'commander';
import { laidOutDay } from './demo/clusters';
import { yesterday } from './demo/example-days';
import { runDemo } from './demo/run-demo';

export interface DemoOptions {
  readonly once?: true;
  readonly dir: string;
  readonly date?: string;
}

/** Runs the example. */
export async function demo(options: DemoOptions, command: Command): Promise<void> {
  const { once = false, date } = options;
  const dir = resolve(options.dir);
  const there = await laidOutDay(dir);
  if (date !== undefined && there !== undefined && there !== date) {
    command.error(
      `error: --date ${date}: the example in ${dir} ends on ${there}. Delete that folder or name another with --dir`,
      { exitCode: 2 },
    );
  }
  const newest = date ?? yesterday(new Date());
  await runDemo({ once, dir, lastDay: there ?? newest, isOld: there !== undefined && there < newest });
}
