import type { Registry } from 'prom-client';
import type { Log } from '../config/log';
import type { ReadToken } from '../config/read-tokens';
import type { Aliases } from '../query/aliases';
import type { Answers } from '../query/answers';
import type { Federation } from './contract';

/** A file of the web page. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  /** Whether the file's name changes with its content, so that browsers may cache the file forever. */
  readonly immutable: boolean;
}

export interface ServerOptions {
  /** Address to listen on: `127.0.0.1:9003`, or `:9003` for every address of the machine. Port 0 picks a free port. */
  readonly listen: string;
  readonly answers: Answers;
  /** Access to the federation; absent for a local ETL store. */
  readonly federation?: Federation;
  /** Id of the primary cluster; absent for a local ETL store. */
  readonly cluster?: string;
  readonly currency: string;
  readonly aliases: Aliases;
  readonly utcOffsetSeconds: number;
  /** Whether `/model/assets` answers in the format of Kubecost or of OpenCost. */
  readonly assetsFlavour: 'kubecost' | 'opencost';
  /**
   * The operator token, or a function that returns the current token, if the token may change. Without a token, nothing
   * can be changed over HTTP.
   */
  readonly token?: string | (() => string | undefined);
  /** Returns the tokens with which clients may read, but change nothing. (Default: none) */
  readTokens?(this: void): readonly ReadToken[];
  /** Whether anybody may read without a token. */
  readonly openRead: boolean;
  /**
   * Origins whose pages may read the answers in a browser (CORS); `*` allows all. (Default: all if `openRead` is true,
   * otherwise only origins on this machine)
   */
  readonly origins?: readonly string[];
  /**
   * Host names of this server, in addition to `localhost` and the name of the machine; `*` allows all. They are checked
   * only if reading needs no token.
   */
  readonly hosts?: readonly string[];
  /** Files of the web page, keyed by URL path, such as `/index.html`. */
  readonly page?: ReadonlyMap<string, PageFile>;
  readonly metrics: Registry;
  readonly log: Log;
  /**
   * Returns a string that changes whenever the served data changes. Answers in the cache are reused only while this
   * string stays the same.
   */
  revision(this: void): string;
  /** Returns the current time in Unix seconds. (Default: the system clock) */
  now?(this: void): number;
  /** Waits before a wrong token is answered. (Default: with a timer) */
  wait?(this: void, milliseconds: number): Promise<unknown>;
}
