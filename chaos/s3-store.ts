import { rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { generationsPrefix } from '../federation/layout';
import { openS3 } from '../storage/drivers/s3';
import { s3Config } from '../storage/drivers/s3-config';
import { s3Settings, startS3Server } from '../test/servers/versitygw';
import { type Fault, startFaultProxy } from '../test/storage/fault-proxy';
import type { Random } from './random';
import type { ChaosStore } from './store';

const bucketName = 'chaos';

interface RequestFault {
  /** How many of the requests meet the fault, from 0 to 1. */
  readonly share: number;
  /** Whether the fault meets only requests that write. (Default: false) */
  readonly writes?: boolean;
  /** `flip`: a flipped bit in an object that is read. Documents meet it no more often than `flippedAlways`. */
  readonly fault: Fault | 'flip';
}

const missingBucket = '<?xml version="1.0"?><Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>';
const fullBucket =
  '<?xml version="1.0"?><Error><Code>XMinioStorageFull</Code><Message>full</Message></Error>';

/**
 * Share of the objects whose bits flip when they are read, also while there is no fault. Never more for documents: one
 * whose bits flip each time it is read again counts as damaged, and a commit replaces a damaged generation.
 */
const flippedAlways = 0.1;

/** Faults that requests meet on their way to the store. */
const requestFaults: Readonly<Record<string, RequestFault>> = {
  errors: { share: 0.4, fault: { kind: 'status', status: 500 } },
  throttled: { share: 0.4, fault: { kind: 'status', status: 503 } },
  resets: { share: 0.3, fault: { kind: 'request lost' } },
  'answers lost': { share: 0.3, fault: { kind: 'answer lost' } },
  cut: { share: 0.3, fault: { kind: 'cut' } },
  short: { share: 0.3, fault: { kind: 'short' } },
  slow: { share: 0.3, fault: { kind: 'slow' } },
  late: { share: 0.3, fault: { kind: 'late' } },
  stalled: { share: 0.1, fault: { kind: 'stall' } },
  flipped: { share: 0.5, fault: 'flip' },
  full: { share: 1, writes: true, fault: { kind: 'status', status: 507, body: fullBucket } },
  away: { share: 1, fault: { kind: 'status', status: 404, body: missingBucket } },
};

/** Starts an S3 server with a bucket, and a proxy in front of it that makes requests fail. */
export async function startS3Store(dir: string, random: Random): Promise<ChaosStore> {
  const rootDir = path.join(dir, 's3');
  const server = await startS3Server({ rootDir });
  await server.createBucket(bucketName);
  const { hostname, port } = new URL(server.endpoint);
  const proxy = await startFaultProxy({ hostname, port: Number(port) });
  const settings = { ...s3Settings(server, bucketName), http_config: { response_header_timeout: '5s' } };
  const bucket = await openS3(s3Config.parse(settings));
  let presence: number | undefined = 0;
  let moves = 0;

  /** Flips a bit somewhere in some of the objects that are read. */
  const flip = (request: IncomingMessage, share: number): Fault | undefined => {
    const flipped = readsFile(request) ? share : readsDocument(request) ? flippedAlways : 0;
    return random.chance(flipped) ? { kind: 'flip', at: random.between(0, 1e9) } : undefined;
  };
  const calm = () => proxy.plan((request) => flip(request, flippedAlways));
  const meet = ({ share, writes, fault }: RequestFault) => {
    proxy.plan((request) => {
      if (writes === true && !isWrite(request)) return undefined;
      if (fault === 'flip') return flip(request, share);
      return random.chance(share) ? fault : undefined;
    });
    return async () => {
      calm();
      return undefined;
    };
  };
  calm();

  /** Replaces the bucket with an empty one for a while, like a bucket that was deleted and created again. */
  const replace = async () => {
    const folder = path.join(rootDir, bucketName);
    const away = path.join(dir, 's3-away');
    presence = undefined;
    await rename(folder, away);
    await server.createBucket(bucketName);
    return async () => {
      const begun = [];
      for await (const entry of bucket.list(generationsPrefix))
        if (entry.kind === 'object') begun.push(entry.key);
      await rm(folder, { recursive: true, force: true });
      await rename(away, folder);
      presence = ++moves;
      return begun.length === 0 ? undefined : `a federation began in an empty bucket: ${begun.join(', ')}`;
    };
  };

  return {
    name: 's3',
    config: { type: 'S3', config: { ...settings, endpoint: proxy.host } },
    faults: [...Object.keys(requestFaults), 'empty'],
    missing: [],
    bucket,
    clockMs: 1_000,
    inject: async (name) => {
      if (name === 'empty') return replace();
      const fault = new Map(Object.entries(requestFaults)).get(name);
      if (fault === undefined) throw new RangeError(`S3 has no fault ${name}.`);
      return meet(fault);
    },
    presence: () => presence,
    leftovers: async () => [],
    keep: async () => undefined,
    close: async () => {
      await bucket.close();
      await proxy.close();
      await server.stop();
    },
  };
}

/** Returns whether a request reads a file of a cluster, a merged object or a kept contribution. */
function readsFile({ method, url = '' }: IncomingMessage): boolean {
  return method === 'GET' && /\/etl\/bingen\/|\/combined\/kept\/|\/combined\/objects\/\w+(\?|$)/.test(url);
}

function isWrite({ method }: IncomingMessage): boolean {
  return method === 'PUT' || method === 'POST';
}

function readsDocument({ method, url = '' }: IncomingMessage): boolean {
  return method === 'GET' && /\.json(\?|$)/.test(url);
}
