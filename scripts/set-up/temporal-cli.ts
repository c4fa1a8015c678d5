import { FederationError } from '../../errors/federation-error';
import {
  addToCache,
  findInCache,
  findOnPath,
  type FindOptions,
  type Found,
  goInstall,
  type GoServer,
  probe,
} from './go-server';
import { downloadTemporal } from './temporal-download';

/**
 * The Temporal CLI, which includes a server. Version 1.5.1 is the newest one that `go install` can build: the go.mod of
 * later versions replaces a module with a local folder, which `go install` refuses.
 */
export const temporalCli: GoServer = {
  name: 'temporal',
  version: '1.5.1',
  goPackage: 'github.com/temporalio/cli/cmd/temporal',
  ldflags: '-s -w -X github.com/temporalio/cli/temporalcli.Version=1.5.1',
  minimumGo: '1.25',
  packages: 1298,
  coldBuild: '5 minutes',
  probes: [
    { args: ['--version'], mustSay: [] },
    {
      args: ['server', 'start-dev', '--help'],
      mustSay: ['--db-filename', '--search-attribute', '--sqlite-pragma'],
    },
  ],
};

/** A running Temporal server, or a program that can start one. */
export type FoundTemporal =
  | { kind: 'address'; address: string }
  | { kind: 'binary'; path: string; from: 'TEMPORAL_CLI' | 'PATH' | 'cache' | 'download' | 'go install' };

export interface FindTemporalOptions extends FindOptions {
  /**
   * Whether to use the running server at TEMPORAL_ADDRESS. Tests pass false if they need a server that they start
   * themselves. (Default: true)
   */
  useAddress?: boolean;
  /** Function to use instead of the official download. Only tests set it. */
  download?: (options: FindOptions, folder: string) => Promise<Found>;
}

/**
 * Finds a running Temporal server, or a program that can start one, and reports each step. Searches in this order:
 * TEMPORAL_ADDRESS, TEMPORAL_CLI, the PATH, the project's cache, the official download, `go install`.
 */
export async function findTemporal(options: FindTemporalOptions): Promise<FoundTemporal> {
  const { env = process.env, say, useAddress = true } = options;
  const download = options.download ?? ((to, folder) => downloadTemporal(temporalCli.version, to, folder));

  if (useAddress && env['TEMPORAL_ADDRESS']) {
    say(`Temporal server: ${env['TEMPORAL_ADDRESS']} (TEMPORAL_ADDRESS).`);
    return { kind: 'address', address: env['TEMPORAL_ADDRESS'] };
  }
  const chosen = env['TEMPORAL_CLI'];
  if (chosen) {
    const problem = await probe(temporalCli, chosen);
    if (problem === undefined) return found('TEMPORAL_CLI', chosen, say);
    say(`TEMPORAL_CLI=${chosen} is unusable: ${problem}. Looking elsewhere.`);
  }
  const onPath = await findOnPath(temporalCli, options);
  if (onPath.path !== undefined) return found('PATH', onPath.path, say);
  const cached = await findInCache(temporalCli, options);
  if (cached.path !== undefined) return found('cache', cached.path, say);

  say('No temporal on the PATH or in the cache; trying the official download.');
  const downloaded = await addToCache(temporalCli, options, (folder) => download(options, folder));
  if (downloaded.path !== undefined) return found('download', downloaded.path, say);
  say(`The download failed: ${downloaded.problem}.`);
  const built = await addToCache(temporalCli, options, (folder) => goInstall(temporalCli, options, folder));
  if (built.path !== undefined) return found('go install', built.path, say);
  throw nothingWorks(downloaded.problem, built.problem);
}

function found(
  from: Extract<FoundTemporal, { kind: 'binary' }>['from'],
  binary: string,
  say: (line: string) => void,
): FoundTemporal {
  say(`Temporal CLI: ${binary} (${from}).`);
  return { kind: 'binary', path: binary, from };
}

function nothingWorks(download: string, build: string): FederationError {
  return new FederationError('SERVER_NOT_FOUND', {
    detail: `No Temporal server could be found or installed. Download: ${download}. go install: ${build}.`,
    hint: [
      'Do one of these, then start again:',
      '- install the Temporal CLI (https://docs.temporal.io/cli#install), so that `temporal` is on the PATH;',
      '- set TEMPORAL_CLI to the path of a `temporal` program;',
      `- install Go ${temporalCli.minimumGo} or newer (https://go.dev/dl), so that it is built here;`,
      '- set TEMPORAL_ADDRESS to the address of a running Temporal server.',
    ].join('\n  '),
  });
}
