import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { readNewestGeneration } from '../../activities/read-generations';
import { leftOutDependencies } from '../../scripts/build/left-out';
import { freePort } from '../../scripts/set-up/free-port';
import { openBucketFromFile } from '../../storage/open-bucket';
import { connectToTestServer, describeWithTemporal, type TestServer } from '../servers/temporal';
import { connectToS3, describeWithS3, s3Settings } from '../servers/versitygw';
import { until } from '../until';
import { buildImage, type Image } from './build-image';
import { parseDockerfile } from './dockerfile';
import { type Engine, giveToUser, makeWritable, prepareEngine, type Running } from './run-image';

const root = path.join(__dirname, '../..');
const golden = path.join(root, 'test/golden/bucket/federated');
const mebi = 1024 * 1024;
/** Maximum size of `/app`, in bytes. When this limit was set, the actual size was 164 MiB. */
const mostBytes = 185 * mebi;

/** Packages that are needed only to build the image or to check the code. The image must not contain them. */
const buildTools = [
  '@babel/core',
  '@esbuild/linux-x64',
  '@swc/core',
  'esbuild',
  'eslint',
  'jest',
  'memfs',
  'node',
  'npm',
  'prettier',
  'swc-loader',
  'terser',
  'tsx',
  'typescript',
  'webpack',
];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

let scratch: string;
let image: Image;
let engine: Engine;
let app: string;
const running = new Set<Running>();

beforeAll(async () => {
  scratch = await mkdtemp(path.join(await realpath(tmpdir()), 'federated-etl-image-'));
  image = await buildImage(scratch, { VERSION: '7.8.9', COMMIT: 'c0ffee' });
  engine = await prepareEngine(image);
  app = path.join(image.root, 'app');
});

afterAll(async () => {
  for (const one of running) one.signal('SIGKILL');
  await makeWritable(path.join(scratch, 'final/app'));
  // The packages are 70,000 files, which `rm` removes much faster than Node.
  await promisify(execFile)('rm', ['-rf', scratch]);
});

/** Starts a program in the image. If it is still running after the tests, it is stopped. */
function start(args: readonly string[], volume?: string): Running {
  const one = engine.start(args, { volume });
  running.add(one);
  void one.ended.finally(() => running.delete(one));
  return one;
}

/** Runs a program in the image, and waits until it ends. */
async function run(
  args: readonly string[],
  volume?: string,
): Promise<{ status: number | null; out: string }> {
  const one = start(args, volume);
  return { status: await one.ended, out: one.output() };
}

/** Creates a folder that the image's user can write to. Its subfolder `etl` contains the ETL files of one cluster. */
async function makeVolume(name: string): Promise<string> {
  const volume = path.join(scratch, name);
  await mkdir(path.join(volume, 'bucket'), { recursive: true });
  await cp(path.join(golden, 'cluster-1/etl'), path.join(volume, 'etl'), { recursive: true });
  // The golden files may be read-only, for example in a read-only checkout. Make the copies writable.
  await makeWritable(volume);
  return volume;
}

const readJson = async <T>(file: string) => JSON.parse(await readFile(file, 'utf8')) as T;

/** Returns the installed packages, including nested ones. */
async function installed(
  folder = path.join(app, 'node_modules'),
): Promise<{ at: string; manifest: Manifest }[]> {
  const found = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const names = name.startsWith('@')
      ? (await readdir(path.join(folder, name))).map((own) => path.join(name, own))
      : [name];
    for (const at of names.map((one) => path.join(folder, one))) {
      found.push({ at, manifest: await readJson<Manifest>(path.join(at, 'package.json')) });
      found.push(...(await installed(path.join(at, 'node_modules'))));
    }
  }
  return found;
}

describe('the Dockerfile', () => {
  it("names the project's Node and version, and pins all it can", async () => {
    const { args, stages } = parseDockerfile(await readFile(path.join(root, 'Dockerfile'), 'utf8'));
    const { version, devDependencies } = await readJson<Manifest>(path.join(root, 'package.json'));
    expect(args.get('NODE_IMAGE')).toBe(`node:${devDependencies?.['node']}-bookworm-slim`);
    expect(args.get('VERSION')).toBe(version);
    expect(stages.map(({ name }) => name)).toEqual(['build', 'base', 'final']);
    // The tests have no base image, so they skip the stage `base`, whose RUN step changes that image. The last stage
    // must not have a RUN step, because the tests would run the step without the base image.
    expect(stages[1]?.steps.map(({ instruction }) => instruction)).toEqual(['RUN']);
    expect(stages[2]?.steps.filter(({ instruction }) => instruction === 'RUN')).toEqual([]);
  });

  it('uses npm’s credentials only as a secret', async () => {
    const text = await readFile(path.join(root, 'Dockerfile'), 'utf8');
    expect(text).toContain('--mount=type=secret,id=npmrc,target=/root/.npmrc npm ci');
    expect(text).not.toMatch(/COPY.*npmrc|_auth|token/i);
  });

  it('starts Node directly, as an unprivileged user, and is stopped by SIGTERM', () => {
    expect(image.entrypoint[0]).toBe('/usr/local/bin/node');
    expect(image).toMatchObject({ cmd: ['run'], user: '10001:10001', stopSignal: 'SIGTERM' });
    expect(image.env['NODE_ENV']).toBe('production');
    expect(image.labels).toMatchObject({
      'org.opencontainers.image.version': '7.8.9',
      'org.opencontainers.image.revision': 'c0ffee',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
  });
});

describe('the content of the image', () => {
  it('is small', async () => {
    let bytes = 0;
    for (const entry of await readdir(app, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) bytes += (await stat(path.join(entry.parentPath, entry.name))).size;
    expect(bytes).toBeLessThan(mostBytes);
  });

  it('has no build tools, no sources and no tests', async () => {
    const names = new Set((await installed()).map(({ manifest }) => manifest.name));
    expect(buildTools.filter((name) => names.has(name))).toEqual([]);
    const files = await readdir(app, { recursive: true });
    expect(files.filter((file) => /\.([cm]?ts|tsx|map)$/.test(file))).toEqual([]);
    expect(
      files.filter((file) => /^(test|bench|docs|scripts\/(build|chart|demo|set-up))(\/|$)/.test(file)),
    ).toEqual([]);
  });

  it('has only the binaries of this platform', async () => {
    const binaries = (await readdir(app, { recursive: true })).filter((file) =>
      /\.(node|so|dylib|dll|exe)$/.test(file),
    );
    expect(binaries.length).toBeGreaterThan(2);
    const own = { x64: /x64|x86_64/, arm64: /arm64|aarch64/ }[process.arch as 'x64' | 'arm64'];
    for (const file of binaries) {
      expect(file).toMatch(own);
      expect(file).toMatch(process.platform);
    }
  });

  it('has every package that another requires, except those omitted deliberately', async () => {
    const missing = [];
    for (const { at, manifest } of await installed()) {
      const from = createRequire(path.join(at, 'package.json'));
      for (const name of Object.keys(manifest.dependencies ?? {})) {
        const there = from.resolve
          .paths(`${name}/package.json`)
          ?.some((folder) => existsSync(path.join(folder, name)));
        if (!there) missing.push(`${manifest.name} ${name}`);
      }
    }
    const leftOut = Object.entries(leftOutDependencies).flatMap(([from, names]) =>
      names.map((name) => `${from} ${name}`),
    );
    expect([...new Set(missing)].sort()).toEqual(leftOut.sort());
  });

  it('has a bill of materials of exactly these packages and those bundled in the page', async () => {
    interface Bill {
      readonly metadata: { readonly component: object };
      readonly components: readonly {
        readonly 'bom-ref': string;
        readonly properties: readonly { readonly name: string }[];
      }[];
    }
    const { metadata, components } = await readJson<Bill>(path.join(app, 'sbom.cdx.json'));
    expect(metadata.component).toMatchObject({ name: 'federated-etl', version: '7.8.9' });
    const inPage = components.filter(({ properties }) =>
      properties.some(({ name }) => name === 'federated-etl:bundled-into'),
    );
    expect(inPage.map((one) => one['bom-ref'].replace(/@[^@]*$/, ''))).toEqual([
      '@kurkle/color',
      'chart.js',
      'preact',
    ]);
    const others = components.filter((one) => !inPage.includes(one)).map((one) => one['bom-ref']);
    const there = (await installed()).map(({ manifest }) => `${manifest.name}@${manifest.version}`);
    expect(others.sort()).toEqual([...new Set(there)].sort());
  });

  it('has its licence, its version and the certificates that the SDK looks for', async () => {
    expect(await readFile(path.join(app, 'LICENSE'))).toEqual(await readFile(path.join(root, 'LICENSE')));
    expect(await readJson(path.join(app, 'package.json'))).toMatchObject({
      version: '7.8.9',
      gitHead: 'c0ffee',
    });
    const certificates = await readFile(path.join(image.root, 'etc/ssl/certs/ca-certificates.crt'), 'utf8');
    expect(certificates.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(50);
  });
});

describe('a program of the image', () => {
  it('prints help without the verbs that need a checkout', async () => {
    const { status, out } = await run(['--help']);
    expect(status).toBe(0);
    expect(out).toMatch(/^ {2}run /m);
    expect(out).not.toMatch(/^ {2}demo /m);
  });

  it('reports what is wrong with its settings', async () => {
    const { status, out } = await run([]);
    expect(status).toBe(2);
    expect(out).toContain('SETTINGS_INVALID');
  });

  it('reads an ETL file', async () => {
    const volume = await makeVolume('inspect');
    const file = path.join(volume, 'etl/bingen/allocations/1d/1794614400-1794700800');
    const { status, out } = await run(['inspect', file, '--json'], volume);
    const { allocations } = JSON.parse(out) as { allocations: readonly unknown[] };
    expect({ status, allocations: allocations.length }).toEqual({ status: 0, allocations: 48 });
  });

  it('serves the API and the page over a local ETL, and ends on SIGTERM', async () => {
    const volume = await makeVolume('serve');
    await giveToUser(image, volume);
    const at = `127.0.0.1:${await freePort(undefined)}`;
    const serve = start(['serve', '--etl', path.join(volume, 'etl'), '--listen', at], volume);
    await until('a sign of health', async () => (await fetch(`http://${at}/healthz`)).ok, serve);
    await until('the ingest', () => serve.output().includes('14 windows ingested'), serve);
    const html = await (await fetch(`http://${at}/`)).text();
    const [script = ''] = /\/page\/main-\w+\.js/.exec(html) ?? [];
    const response = await fetch(`http://${at}${script}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/javascript; charset=utf-8',
    ]);
    serve.signal('SIGTERM');
    expect(await serve.ended).toBe(0);
  });
});

describeWithS3('a program of the image with a remote store', () => {
  it('loads the SDK of the store', async () => {
    const s3 = await connectToS3();
    const bucket = path.basename(scratch).toLowerCase();
    await s3.createBucket(bucket);
    const volume = await makeVolume('s3');
    const store = path.join(volume, 'federated-store.yaml');
    await writeFile(store, stringify({ type: 'S3', config: s3Settings(s3, bucket) }));
    const config = path.join(volume, 'federated-etl.yaml');
    await writeFile(config, stringify({ clusterId: 'cluster-1', storage: { configFile: store } }));
    const { status, out } = await run(['--config', config, 'generations'], volume);
    expect({ status, out }).toEqual({
      status: 0,
      out: expect.stringMatching(/^No generation has been committed yet\.$/m),
    });
  });
});

describeWithTemporal("the image's default command", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await connectToTestServer();
  });

  afterAll(() => server?.close());

  it('runs all roles of a cluster, from its files to its answers, and ends on SIGTERM', async () => {
    const volume = await makeVolume('roles');
    const at = `127.0.0.1:${await freePort(undefined)}`;
    const store = path.join(volume, 'federated-store.yaml');
    await writeFile(
      store,
      stringify({ type: 'FILESYSTEM', config: { directory: path.join(volume, 'bucket') } }),
    );
    const settings = {
      clusterId: 'cluster-1',
      federatedETL: {
        federatedCluster: true,
        primaryCluster: true,
        federator: { enabled: true, firstRunAfter: '10s', runEvery: '10s' },
      },
      storage: { configFile: store },
      localEtl: { path: path.join(volume, 'etl'), pullEvery: '2s' },
      temporal: { address: server.address, namespace: await server.createNamespace() },
      api: { listen: at },
      health: { listen: '127.0.0.1:0' },
    };
    const config = path.join(volume, 'federated-etl.yaml');
    await writeFile(config, stringify(settings));
    await giveToUser(image, volume);

    const roles = start(['--config', config, 'run'], volume);
    const bucket = await openBucketFromFile(store);
    try {
      const isCommitted = async () => {
        const newest = await readNewestGeneration(bucket);
        return newest !== undefined && Object.keys(newest.windows).length === 14;
      };
      await until('a generation', isCommitted, roles);
      const ask = `http://${at}/model/allocation?window=2026-11-14T00:00:00Z,2026-11-15T00:00:00Z&aggregate=cluster`;
      const isAnswered = async () => (await (await fetch(ask)).text()).includes('cluster-1');
      await until('an answer of the primary', isAnswered, roles);
    } finally {
      await bucket.close();
    }
    roles.signal('SIGTERM');
    expect(await roles.ended).toBe(0);
  });
});
