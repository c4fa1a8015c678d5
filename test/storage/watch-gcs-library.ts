import { Agent, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Storage } from '@google-cloud/storage';
import { type FaultyGcsServer, gcsError, json, resource, startFaultyGcsServer } from './faulty-gcs-server';

/**
 * Prints how methods of `@google-cloud/storage` behave in cases where the driver needs another behaviour. Tests run
 * this in a separate process, because jest cannot load the ES modules with which the library sends requests.
 */
const cases = {
  /** If the store never answers, does the library's time-out end a listing and an upload? */
  async deadline(server: FaultyGcsServer) {
    const bucket = bucketAt(server, { timeout: 50 });
    const listing = await outcome(server, bucket.getFiles({ autoPaginate: false }));
    const upload = await outcome(server, bucket.file('k').save('x', { resumable: false, timeout: 50 }));
    return { listing, upload };
  },

  /** If an interceptor adds an agent and an aborted signal to a listing's request, are they used? */
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

  /** If a download's stream is destroyed before the answer, does its request end? */
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

  /** If the checksum of an upload does not match, which generation of the object does the library delete? */
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

  /** If a chunk of a resumable upload fails, which requests does the library make? */
  async failed(server: FaultyGcsServer) {
    server.answer(session(server.endpoint), gcsError(503, 'backendError'));
    await upload(server).catch(() => undefined);
    return server.seen.map(({ method }) => method);
  },

  /** If the location of an upload session is on another host, where do the chunks go? */
  async elsewhere(server: FaultyGcsServer) {
    const other = await startFaultyGcsServer();
    server.answer(session(other.endpoint));
    other.answer(json(200, resource('k', whole)));
    await upload(server).catch(() => undefined);
    return { here: server.seen.length, elsewhere: other.seen.length };
  },

  /** If an interceptor adds a signal to the request of a chunk, does an abort end the sending? */
  async aborted(server: FaultyGcsServer) {
    const controller = new AbortController();
    server.answer(session(server.endpoint), () => controller.abort());
    const sending = upload(server, { interceptors_: [withOptions({ signal: controller.signal })] });
    await arrival(server, 2);
    return pendingOr(sending);
  },
};

/** If STORAGE_EMULATOR_HOST contradicts the configured endpoint, where does a request go? */
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

/** Waits until the server has received this many requests. */
async function arrival(server: FaultyGcsServer, count: number): Promise<void> {
  while (server.seen.length < count) await sleep(5);
}

/** Returns `ended` when the promise settles, or `pending` if it has not settled long after it should have. */
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
