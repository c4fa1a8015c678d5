import type { Registry } from 'prom-client';
import type { Log } from '../config/log';
import type { Aliases } from '../query/aliases';
import type { Answers } from '../query/answers';
import type { Federation } from './contract';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  /** Whether its name changes with its content. */
  readonly immutable: boolean;
}

export interface ServerOptions {
  /** `127.0.0.1:9003`, `:9003` for every address, or port 0 for any free one. */
  readonly listen: string;
  readonly answers: Answers;
  /** Absent for a local ETL store. */
  readonly federation?: Federation;
  /** The cluster of this primary. */
  readonly cluster?: string;
  readonly currency: string;
  readonly aliases: Aliases;
  readonly utcOffsetSeconds: number;
  /** The flavour of `/model/assets`. */
  readonly assetsFlavour: 'kubecost' | 'opencost';
  /** The operator token; without it nothing can be changed over HTTP. */
  readonly token?: string;
  /** Whether anybody may read without a token. */
  readonly openRead: boolean;
  /** Origins whose pages may read in a browser; `*` for all. (Default: all with `openRead`, else those of this machine.) */
  readonly origins?: readonly string[];
  /** By path, such as `/index.html`. */
  readonly page?: ReadonlyMap<string, PageFile>;
  readonly metrics: Registry;
  readonly log: Log;
  /** Identifies the served data: it changes whenever they do. */
  revision(this: void): string;
  /** Unix seconds. (Default: the clock's) */
  now?(this: void): number;
}
