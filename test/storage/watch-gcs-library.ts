import { Agent, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Storage } from '@google-cloud/storage';
import { type FaultyGcsServer, gcsError, json, resource, startFaultyGcsServer } from './faulty-gcs-server';

/**
 * Prints how the methods of `@google-cloud/storage` behave where the driver needs other behaviour. Runs as a separate
 * process because jest cannot load the ES modules by which the library sends requests.
 */
const cases = {
  /** Does the library's timeout end a listing and an upload when the store never answers? */
  async deadline(server: FaultyGcsServer) {
    const bucket = bucketAt(server, { timeout: 50 });
    const listing = await outcome(server, bucket.getFiles({ autoPaginate: false }));
    const upload = await outcome(server, bucket.file('k').save('x', { resumable: false, timeout: 50 }));
    return { listing, upload };
  },

  /** Does a listing use the agent and the aborted signal that an interceptor adds to its request? */
  async connections(server: FaultyGcsServer) {
    const agent = new Agent();
    let made = 0;
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (...args) => {
      made += 1;
      return create(...args);
    };
    server.answer(json(200, { kind: 'storage#objects' }));
    const bucket = bucketAt(server, { interceptors_: [withOptions({ agent, signal: AbortSignal.abort() })] });
    const [files] = await bucket.getFiles({ autoPaginate: false });
    return { made, files: files.length };
  },

  /** Does destroying a download's stream before the answer end its request? */
  async download(server: FaultyGcsServer) {
    const closed = new Promise((resolve) =>
      server.answer((response) => void response.once('close', resolve)),
    );
    const stream = bucketAt(server).file('k').createReadStream();
    stream.on('error', () => undefined).resume();
    await arrival(server, 1);
    stream.destroy();
    return pendingOr(closed);
  },

  /** Which generation is deleted after an upload whose checksum does not match? */
  async checksum(server: FaultyGcsServer) {
    server.answer(json(200, resource('k', Buffer.from('x'), { crc32c: 'AAAAAA==' })));
    await bucketAt(server)
      .file('k')
      .save('x', { resumable: false })
      .catch(() => undefined);
    return server.seen.map(({ method, query }) => [method, query['generation'] ?? 'any']);
  },

  /** Which checksum does each request of a resumable upload carry? */
  async resumable(server: FaultyGcsServer) {
    server.answer(session(server.endpoint), kept, json(200, resource('k', whole)));
    await upload(server);
    return server.seen.map(({ headers }) => headers['x-goog-hash'] ?? 'none');
  },

  /** Which requests does a resumable upload make when a chunk fails? */
  async failed(server: FaultyGcsServer) {
    server.answer(session(server.endpoint), gcsError(503, 'backendError'));
    await upload(server).catch(() => undefined);
    return server.seen.map(({ method }) => method);
  },

  /** Where do the chunks go when the session's location is on another host? */
  async elsewhere(server: FaultyGcsServer) {
    const other = await startFaultyGcsServer();
    server.answer(session(other.endpoint));
    other.answer(json(200, resource('k', whole)));
    await upload(server).catch(() => undefined);
    return { here: server.seen.length, elsewhere: other.seen.length };
  },

  /** Does a signal that an interceptor adds end the sending of a chunk? */
  async aborted(server: FaultyGcsServer) {
    const controller = new AbortController();
    server.answer(session(server.endpoint), () => controller.abort());
    const sending = upload(server, { interceptors_: [withOptions({ signal: controller.signal })] });
    await arrival(server, 2);
    return pendingOr(sending);
  },
};

/** Where does a request go when STORAGE_EMULATOR_HOST contradicts the configured endpoint? */
async function emulator(): Promise<unknown> {
  const [named, other] = await Promise.all([startFaultyGcsServer(), startFaultyGcsServer()]);
  process.env['STORAGE_EMULATOR_HOST'] = other.endpoint;
  other.answer(json(200, { kind: 'storage#objects' }));
  await bucketAt(named).getFiles({ autoPaginate: false });
  return { named: named.seen.length, other: other.seen.length };
}

const chunk = 256 * 1024;
const whole = Buffer.alloc(chunk + 1, 'x');
const kept = (response: ServerResponse) => response.writeHead(308, { range: `bytes=0-${chunk - 1}` }).end();
const session = (host: string) => (response: ServerResponse) =>
  response.writeHead(200, { location: `${host}/upload/storage/v1/b/costs/o?upload_id=u1` }).end();

function bucketAt({ endpoint }: FaultyGcsServer, options: object = {}) {
  const common = { apiEndpoint: endpoint, projectId: 'p', retryOptions: { autoRetry: false } };
  return new Storage({ ...common, ...options }).bucket('costs');
}

function withOptions(options: object) {
  return { request: (request: object) => ({ ...request, ...options }) };
}

function upload(server: FaultyGcsServer, options: object = {}): Promise<void> {
  const file = bucketAt(server, options).file('k');
  const pieces = [whole.subarray(0, chunk), whole.subarray(chunk)];
  return pipeline(Readable.from(pieces), file.createWriteStream({ resumable: true, chunkSize: chunk }));
}

async function outcome(server: FaultyGcsServer, call: Promise<unknown>): Promise<string> {
  const { length } = server.seen;
  await Promise.race([arrival(server, length + 1), call.catch(() => undefined)]);
  return pendingOr(call);
}

/** Waits until the server has seen this many requests. */
async function arrival(server: FaultyGcsServer, count: number): Promise<void> {
  while (server.seen.length < count) await sleep(5);
}

/** Resolves to `pending` if the promise has not settled long after it should have. */
function pendingOr(promise: Promise<unknown>): Promise<string> {
  const ended = () => 'ended';
  return Promise.race([promise.then(ended, ended), sleep(1_500, 'pending')]);
}

async function main(): Promise<void> {
  const seen: Record<string, unknown> = {};
  await Promise.all(
    Object.entries(cases).map(async ([name, watch]) => {
      seen[name] = await watch(await startFaultyGcsServer());
    }),
  );
  seen['emulator'] = await emulator();
  process.stdout.write(JSON.stringify(seen), () => process.exit());
}

void main();
