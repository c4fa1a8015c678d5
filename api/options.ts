import type { Registry } from 'prom-client';
import type { Log } from '../config/log';
import type { Aliases } from '../query/aliases';
import type { Answers } from '../query/answers';
import type { Federation } from './contract';

/** One of the files that make up the page. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  /** Whether the file's name changes with its content. */
  readonly immutable: boolean;
}

export interface ServerOptions {
  /** Address to listen on: `127.0.0.1:9003`, or `:9003` for every address of the machine. Port 0 picks a free port. */
  readonly listen: string;
  readonly answers: Answers;
  /** Access to the federation; absent for a local ETL store. */
  readonly federation?: Federation;
  /** Id of the primary's cluster; absent for a local ETL store. */
  readonly cluster?: string;
  readonly currency: string;
  readonly aliases: Aliases;
  readonly utcOffsetSeconds: number;
  /** Whether `/model/assets` answers like Kubecost or like OpenCost. */
  readonly assetsFlavour: 'kubecost' | 'opencost';
  /** The operator token. Without it, nothing can be changed over HTTP. */
  readonly token?: string;
  /** Whether anybody may read without a token. */
  readonly openRead: boolean;
  /**
   * Origins whose pages may read the answers in a browser; `*` allows all. (Default: all if `openRead` is set,
   * otherwise those of this machine)
   */
  readonly origins?: readonly string[];
  /** Files of the page by URL path, such as `/index.html`. */
  readonly page?: ReadonlyMap<string, PageFile>;
  readonly metrics: Registry;
  readonly log: Log;
  /** Returns a text that identifies the served data: it changes whenever the data changes. */
  revision(this: void): string;
  /** Returns the current time in unix seconds. (Default: from the system clock) */
  now?(this: void): number;
}
