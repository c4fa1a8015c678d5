import { Agent, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Storage } from '@google-cloud/storage';
import { type FaultyGcsServer, gcsError, json, resource, startFaultyGcsServer } from './faulty-gcs-server';

/**
 * Experiments with `@google-cloud/storage`. Each experiment shows a behaviour of the library that is unsuitable for the
 * driver. Tests run this script in a separate process, because the library uses ES modules to send requests, and Jest
 * cannot load these.
 */
const cases = {
  /** Returns whether the library's time-out ends a listing and an upload if the store never answers. */
  async deadline(server: FaultyGcsServer) {
    const bucket = bucketAt(server, { timeout: 50 });
    const listing = await outcome(server, bucket.getFiles({ autoPaginate: false }));
    const upload = await outcome(server, bucket.file('k').save('x', { resumable: false, timeout: 50 }));
    return { listing, upload };
  },

  /** Adds an agent and an aborted signal to the request of a listing. Returns whether the library uses them. */
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

  /** Destroys the stream of a download before the response arrives. Returns whether this ends the request. */
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

  /**
   * Uploads an object whose checksum does not match. Returns which generation of the object the library then deletes.
   */
  async checksum(server: FaultyGcsServer) {
    server.answer(json(200, resource('k', Buffer.from('x'), { crc32c: 'AAAAAA==' })));
    await bucketAt(server)
      .file('k')
      .save('x', { resumable: false })
      .catch(() => undefined);
    return server.seen.map(({ method, query }) => [method, query['generation'] ?? 'any']);
  },

  /** Returns the checksum that the library sends with each request of a resumable upload. */
  async resumable(server: FaultyGcsServer) {
    server.answer(session(server.endpoint), kept, json(200, resource('k', whole)));
    await upload(server);
    return server.seen.map(({ headers }) => headers['x-goog-hash'] ?? 'none');
  },

  /** Makes a chunk of a resumable upload fail. Returns the requests that the library sends. */
  async failed(server: FaultyGcsServer) {
    server.answer(session(server.endpoint), gcsError(503, 'backendError'));
    await upload(server).catch(() => undefined);
    return server.seen.map(({ method }) => method);
  },

  /**
   * Starts an upload to which the server assigns a location on another host. Returns the number of requests that each
   * host receives.
   */
  async elsewhere(server: FaultyGcsServer) {
    const other = await startFaultyGcsServer();
    server.answer(session(other.endpoint));
    other.answer(json(200, resource('k', whole)));
    await upload(server).catch(() => undefined);
    return { here: server.seen.length, elsewhere: other.seen.length };
  },

  /** Adds an abort signal to the requests of a resumable upload. Returns whether the signal can end the upload. */
  async aborted(server: FaultyGcsServer) {
    const controller = new AbortController();
    server.answer(session(server.endpoint), () => controller.abort());
    const sending = upload(server, { interceptors_: [withOptions({ signal: controller.signal })] });
    await arrival(server, 2);
    return pendingOr(sending);
  },
};

/**
 * Sets STORAGE_EMULATOR_HOST to an address that differs from the configured endpoint. Returns which of the two
 * addresses gets the request.
 */
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

/** Returns `ended` when the promise settles, or `pending` if it has not settled after 1.5 seconds. */
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
