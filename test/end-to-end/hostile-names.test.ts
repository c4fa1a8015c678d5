import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { stringify } from 'yaml';
import { toByteString } from '../../etl/byte-string';
import { clusterId } from '../../etl/cluster-id';
import { encodeSet } from '../../etl/file';
import { clusterEtlKey, clusterEtlPrefix, combinedPrefix } from '../../federation/layout';
import { rowsOf } from '../../query/database';
import type { Bucket } from '../../storage/bucket';
import { openBucketFromFile } from '../../storage/open-bucket';
import { allocation, allocationSet, asset, assetSet } from '../etl/build-records';
import { runMain } from '../scripts/run-main';
import { clearSettings } from '../servers/clear-environment';
import { describeWith } from '../servers/describe-with';
import { missing } from '../servers/paths';
import { builtProgram } from '../servers/program';
import { connectToTestServer, type TestServer } from '../servers/temporal';
import { type S3Server, s3Store, startS3Server } from '../servers/versitygw';
import { removeTemporaryFolders, temporaryFolder } from '../storage/temporary-folder';
import { until } from '../until';

/** Ids of clusters. The first one is the cluster of the running process. */
const clusters = [
  `=own()"'<img src=x onerror=window.pwned=1>\u202egnp`,
  'constructor',
  'toString',
  'hasOwnProperty',
  '%2e%2e',
  '%2e%2e%2fcombined',
  'zero\u200bwidth',
  'Case',
  'case',
  'é',
  'e\u0301',
  '👩‍💻',
  'עברית',
  ' blank ',
  '${jndi:x}`id`$(id);',
  'x'.repeat(240),
];
const [own = ''] = clusters;

/** Names that may occur in cost data: of namespaces, controllers, pods, containers, nodes, labels and annotations. */
const names = [
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'],
  ...['\0', 'a\0b', '\u0001\b\v\f\u001f\u007f', '\t=1', '\u0085', '\u009b2J'],
  ...['\u001b[31mRED\u001b[0m', '\u001b]0;pwn\u0007', '\u001b]8;;http://evil.example\u0007x'],
  ...[
    '\u202egnp.exe',
    '\u2066x\u2069',
    '\u061c',
    'עברית',
    'عربى',
    'zero\u200bwidth',
    '\ufeffbom',
    '\u{e0041}',
  ],
  ...['a\nforged: line', 'a\r\nforged: line', 'a\n    forged: line', '\u2028forged', '\n', '\r'],
  ...[`"`, `'`, '`', `""`, `a"b`, '\\', 'C:\\x', 'a\\', `'; DROP TABLE allocations; --`, `' OR '1'='1`],
  ...[
    '<script>window.pwned=1</script>',
    '<img src=x onerror=window.pwned=1>',
    '</td>',
    '&lt;',
    '${x}',
    '%s%n',
  ],
  ...['=cmd()', '+1', '-1', '@x', '=HYPERLINK("http://evil.example","x")', '＝x'],
  ...[
    '../../etc/passwd',
    '..',
    '.',
    '%2e%2e/%2e%2e',
    '%00',
    'trailing.',
    'trailing ',
    ' leading',
    'a/b',
    '/',
  ],
  ...['null', 'undefined', 'NaN', 'true', '0', '-0', '1e3', '[]', '{}', ','],
  ...[
    'Case',
    'case',
    'é',
    'e\u0301',
    'ﬁ',
    'ß',
    '👩‍💻',
    '\u{10ffff}',
    '\ue000',
    '\uffff',
    'x'.repeat(255),
    'é'.repeat(512),
  ],
];
/** Bytes that are not UTF-8, as a writer makes them that cuts a text. They are shown with the replacement character. */
const invalid = '\xff\xc3';

/** Matches what no terminal may get: control characters except line breaks, and what is invisible or changes order. */
const raw = /[^\P{Cc}\n]|[\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u;
const forged = /^ *forged/m;
const reason = 'odd\nforged: line\u001b[31m\u202e\u200b\u009b2J<b>"=cmd()';

const dayWindow = '1794614400-1794700800';
const day = `allocations/1d/${dayWindow}`;
const assetDay = `assets/1d/${dayWindow}`;
const window = '2026-11-14T00:00:00Z,2026-11-15T00:00:00Z';

/** Makes a file of allocations of a cluster, one for each name. All names of an allocation are the same. */
function allocationsOf(cluster: string, texts: readonly string[]): Buffer {
  const id = toByteString(cluster);
  const records = [...texts.map(toByteString), invalid].map((text, index) => {
    const strings = new Map([['team', text]]);
    const properties = {
      version: 25,
      cluster: id,
      node: text,
      container: text,
      controller: text,
      controllerKind: '',
      namespace: text,
      pod: text,
      services: [text],
      providerID: text,
      labels: strings,
      annotations: strings,
      namespaceLabels: strings,
      namespaceAnnotations: strings,
    };
    return allocation(`${id}/${index}`, { properties, cpuCost: index + 1 });
  });
  return encodeSet(allocationSet(records));
}

function assetsOf(cluster: string, texts: readonly string[]): Buffer {
  const id = toByteString(cluster);
  const records = [...texts.map(toByteString), invalid].map((text, index) => {
    const properties = {
      version: 21,
      category: 'Storage',
      provider: text,
      account: text,
      project: text,
      service: text,
      cluster: id,
      name: `${index} ${text}`,
      providerID: text,
    };
    return asset('Disk', { properties, labels: new Map([['team', text]]), cost: index + 1 });
  });
  return encodeSet(assetSet(records));
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
/** Total of a file with `count` names. */
const totalOf = (count: number) => sum(Array.from({ length: count + 1 }, (_, index) => index + 1));

/** Lists the costs of names in ASCII, in the order of the names. */
const listed = (costs: ReadonlyMap<string, number>) =>
  [...costs].map(([name, cost]) => `${JSON.stringify(encodeURI(name.toWellFormed()))} ${cost}`).sort();

/** Returns the cells of a CSV text. */
function csvCells(csv: string): string[] {
  const cells = csv.matchAll(/(?:^|,|\n)(?:"((?:[^"]|"")*)"|([^",\n]*))/g);
  return [...cells].map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain);
}

describeWith(missing('temporalMissing') ?? missing('versitygwMissing'), 'hostile names', () => {
  let temporal: TestServer;
  let s3: S3Server;
  let folder: string;
  let bucket: Bucket;
  let child: ChildProcess;
  let api: string;
  let health: string;
  let written = '';
  clearSettings();

  const file = () => path.join(folder, 'federated-etl.yaml');
  /** Runs a verb. Its log, which goes to standard error, too, becomes part of `err`. */
  async function run(...argv: string[]) {
    let log = '';
    const { writeSync } = fs;
    const spy = jest.spyOn(fs, 'writeSync').mockImplementation((to: number, text: string) => {
      if (to !== 2) return writeSync(to, text);
      log += text;
      return Buffer.byteLength(text);
    });
    try {
      const answer = await runMain(...argv, '--config', file());
      return { ...answer, err: log + answer.err };
    } finally {
      spy.mockRestore();
    }
  }
  const logged = () =>
    written
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { event?: string; url?: string });
  const urlOf = (event: string) =>
    until(event, () => logged().find((line) => line.event === event)?.url, {
      process: child,
      output: () => written,
    });

  interface Row {
    readonly name: string;
    readonly totalCost: number;
    readonly properties: Record<string, string> & { labels?: Record<string, string> };
  }
  async function ask(aggregate: string, more: Record<string, string> = {}, what = 'allocation') {
    const parameters = new URLSearchParams({ window, aggregate, accumulate: 'true', idle: 'false', ...more });
    const answer = await fetch(`${api}/model/${what}?${parameters.toString()}`);
    expect(answer.status).toBe(200);
    const { data } = (await answer.json()) as { data: Record<string, Row>[] };
    return new Map(Object.entries(data[0] ?? {}));
  }

  beforeAll(async () => {
    folder = temporaryFolder();
    [temporal, s3] = await Promise.all([
      connectToTestServer(),
      startS3Server({ rootDir: path.join(folder, 's3') }),
    ]);
    await s3.createBucket('costs');
    writeFileSync(path.join(folder, 'store.yaml'), stringify(s3Store(s3, 'costs')));
    bucket = await openBucketFromFile(path.join(folder, 'store.yaml'));
    for (const cluster of clusters.slice(1)) {
      await bucket.put(clusterEtlKey(clusterId(cluster), day), allocationsOf(cluster, ['x']));
      await bucket.put(clusterEtlKey(clusterId(cluster), assetDay), assetsOf(cluster, ['x']));
    }
    const local = path.join(folder, 'etl/bingen');
    for (const below of [
      'allocations/1d',
      'assets/1d',
      '\u001b[31m',
      'allocations/..%2f',
      'allocations/1d\nforged',
    ])
      mkdirSync(path.join(local, below), { recursive: true });
    writeFileSync(path.join(local, day), allocationsOf(own, names));
    writeFileSync(path.join(local, assetDay), assetsOf(own, names));
    for (const name of [
      '\u001b[31m',
      `a\nforged: ${dayWindow}`,
      `..%2f.${dayWindow}`,
      '\u202e',
      `%2e%2e.${dayWindow}`,
    ])
      writeFileSync(path.join(local, 'allocations/1d', name), 'no window');
    writeFileSync(
      Buffer.concat([Buffer.from(`${local}/assets/1d/`), Buffer.from([0xff, 0xfe])]),
      'no window',
    );
    symlinkSync('../../../..', path.join(local, 'allocations/1h'));
    const settings = {
      clusterId: own,
      federatedETL: {
        federatedCluster: true,
        primaryCluster: true,
        federator: { enabled: true, firstRunAfter: '1h', runEvery: '1h' },
      },
      storage: { configFile: 'store.yaml' },
      localEtl: { path: 'etl' },
      query: { path: 'query' },
      temporal: { address: temporal.address, namespace: await temporal.createNamespace() },
      api: { listen: '127.0.0.1:0' },
      health: { listen: '127.0.0.1:0' },
      log: { format: 'json', level: 'debug' },
    };
    writeFileSync(file(), stringify(settings));
    child = spawn(process.execPath, [await builtProgram(), 'run', '--config', file()], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TEMPORAL_CONFIG_FILE: path.join(folder, 'none.toml') },
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (written += text));
    [api, health] = await Promise.all([urlOf('api.listening'), urlOf('health.listening')]);
    for (const window of [day, assetDay])
      await until('the push', async () => bucket.head(clusterEtlKey(clusterId(own), window)), {
        process: child,
        output: () => written,
      });
  });
  afterAll(async () => {
    if (child?.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await bucket?.close();
    await Promise.all([s3?.stop(), temporal?.close()]);
    await removeTemporaryFolders();
  });

  /** The names as they are shown, and the cost of each over all clusters. */
  const shown = [...names.map((name) => name.replace(/^\ufeff/, '')), '\ufffd\ufffd'];
  const costs = new Map(shown.map((name, index) => [name, index + 1]));
  costs.set('x', clusters.length - 1).set('\ufffd\ufffd', shown.length + 2 * (clusters.length - 1));
  const costsIn = (rows: ReadonlyMap<string, Row>) =>
    new Map([...rows].map(([name, { totalCost }]) => [name, totalCost]));

  it('are federated, pulled and served, each exactly as it is', async () => {
    expect((await run('federate', '--wait')).out).toMatch(/complete: generation 1, 16 clusters/);
    await until('the first answer', async () => (await ask('cluster').catch(() => new Map())).size > 0);
    const byCluster = await ask('cluster');
    expect([...byCluster.keys()].sort()).toEqual([...clusters].sort());
    for (const cluster of clusters)
      expect(byCluster.get(cluster)?.totalCost).toBeCloseTo(totalOf(cluster === own ? names.length : 1));
    for (const aggregate of [
      'namespace',
      'controller',
      'container',
      'pod',
      'node',
      'label:team',
      'annotation:team',
      'namespaceLabel:team',
      'service',
    ]) {
      const found = await ask(aggregate);
      expect([aggregate, listed(costsIn(found))]).toEqual([aggregate, listed(costs)]);
      expect([...found].filter(([key, row]) => row.name !== key)).toEqual([]);
    }
    const pods = await ask('pod');
    expect([...pods].filter(([name, { properties }]) => properties['pod'] !== name)).toEqual([]);
    // Rows of several clusters have no labels.
    const labelled = [...pods].filter(([, { properties }]) => properties.labels !== undefined);
    expect(labelled.filter(([name, { properties }]) => properties.labels?.['team'] !== name)).toEqual([]);
    expect(labelled.length).toBeGreaterThan(names.length - 3);
    for (const [aggregate, before = ''] of [
      ['account'],
      ['provider'],
      ['service'],
      ['label:team', 'team='],
    ] as const) {
      const expected = new Map([...costs].map(([name, cost]) => [before + name, cost]));
      const found = listed(costsIn(await ask(aggregate, {}, 'assets')));
      expect([aggregate, found]).toEqual([aggregate, listed(expected)]);
    }
  });

  it('are found by filters, which cannot be left', async () => {
    const special = /['\\%,:()[\]|+\0\n\u202e]/;
    for (const name of shown.filter((one) => special.test(one) && !one.includes('"'))) {
      const found = await ask('namespace', { filter: `namespace:"${name}"` });
      expect([name, [...found.keys()]]).toEqual([name, [name]]);
    }
    for (const name of shown.filter((one) => one.includes('"'))) {
      const parameters = new URLSearchParams({ window, aggregate: 'cluster', filter: `namespace:"${name}"` });
      expect((await fetch(`${api}/model/allocation?${parameters.toString()}`)).status).toBe(400);
    }
    for (const cluster of clusters.filter((one) => !one.includes('"')))
      expect([...(await ask('cluster', { filter: `cluster:"${cluster}"` })).keys()]).toEqual([cluster]);
  });

  it('are cells of CSV that no spreadsheet calculates', async () => {
    const parameters = new URLSearchParams({
      window,
      aggregate: 'namespace',
      accumulate: 'true',
      format: 'csv',
    });
    const answer = await fetch(`${api}/model/allocation?${parameters.toString()}`);
    const csv = await answer.text();
    expect(answer.headers.get('content-type')).toContain('text/csv');
    expect(csvCells(csv).filter((cell) => /^[=+@\t\r\n＝＋－＠]|^-(?![\d.])/.test(cell))).toEqual([]);
    for (const name of ['constructor', '__proto__', 'a"b', "'=cmd()", "'@x", 'a\nforged: line'])
      expect(csvCells(csv)).toContain(name);
  });

  it('are exported exactly to Parquet, and to CSV without formulas', async () => {
    for (const format of ['parquet', 'csv']) {
      const out = path.join(folder, 'out');
      expect(await run('export', '--format', format, '--out', out)).toMatchObject({ status: 0 });
    }
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const read = async (table: string) => {
      const sql = `select hex(namespace) as name, sum(total_cost) as cost from ${table} group by all`;
      const rows = (await rowsOf(connection, sql)) as { name: string; cost: number }[];
      return new Map(rows.map(({ name, cost }) => [Buffer.from(name, 'hex').toString(), cost]));
    };
    expect(listed(await read(`'${folder}/out/v1/parquet/allocations/*/*/*.parquet'`))).toEqual(listed(costs));
    const csv = `read_csv('${folder}/out/v1/csv/allocations/*/*/*.csv.gz', all_varchar = true)`;
    const cells = await rowsOf(connection, `select distinct namespace as name from ${csv}`);
    expect(cells.filter(({ name }) => /^[=+@\t\r\n＝＋－＠-]/.test(String(name)))).toEqual([]);
    expect(cells).toHaveLength(costs.size);
    connection.closeSync();
    instance.closeSync();
  });

  it('never control or imitate the output of a verb', async () => {
    expect(await run('exclude', 'constructor', '--reason', reason, '--wait')).toMatchObject({ status: 0 });
    await bucket.put(clusterEtlKey(clusterId('toString'), day), Buffer.from(`no file\n${reason}`));
    expect((await run('federate', '--wait')).status).toBe(3);
    const key = clusterEtlKey(clusterId(own), day);
    const verbs = [
      ['status'],
      ['runs'],
      ['generations'],
      ['diff', '1', '3'],
      ['quarantine'],
      ['verify'],
      ['doctor'],
      ['primary'],
      ['backups'],
      ['federate', '--dry-run'],
      ['inspect', key],
      ['inspect', path.join(folder, 'etl/bingen', day)],
      ['inspect', `${key}\nforged`],
      ['cluster', 'purge', own, '--dry-run'],
      ['cluster', 'remove', 'zero\u200bwidth', '--dry-run'],
      ['accept', 'toString', '--dry-run', '--reason', reason],
      ['accept', reason],
      ['include', reason],
      [reason],
      ['rollback', '1', '--dry-run', '--reason', reason],
    ];
    for (const verb of verbs) {
      const { out, err } = await run(...verb, '--verbose');
      expect([verb, raw.exec(out + err), forged.exec(out)]).toEqual([verb, null, null]);
      // In the log, all lines of an event after the first are indented by four spaces.
      expect([verb, /^ {0,3}forged/m.exec(err)]).toEqual([verb, null]);
    }
    for (const verb of ['status', 'runs', 'quarantine']) {
      const { out } = await run(verb, '--json');
      expect([verb, raw.exec(out)]).toEqual([verb, null]);
      JSON.parse(out);
    }
    expect((await run('status')).out).toContain('zero\\u200bwidth');
    const { clusters: known } = JSON.parse((await run('status', '--json')).out) as {
      clusters: { cluster: string; reason?: string }[];
    };
    expect(known.map(({ cluster }) => cluster).sort()).toEqual([...clusters].sort());
    expect(known.find(({ cluster }) => cluster === 'constructor')).toMatchObject({
      membership: 'excluded',
      reason: `person: ${reason}`,
    });
  });

  it('never control or imitate a line of the log, of health or of metrics', async () => {
    expect(written).not.toMatch(raw);
    expect(logged().length).toBeGreaterThan(10);
    for (const place of [`${health}/readyz`, `${health}/metrics`, `${api}/metrics`]) {
      const text = await (await fetch(place)).text();
      expect([place, raw.exec(text), forged.exec(text)]).toEqual([place, null, null]);
    }
  });

  it('never lead out of their folder', async () => {
    const expected = [...clusters.map((cluster) => clusterEtlPrefix(clusterId(cluster))), combinedPrefix];
    for await (const entry of bucket.list('federated/'))
      if (entry.kind === 'object') expect(expected.some((prefix) => entry.key.startsWith(prefix))).toBe(true);
    const stored = readdirSync(path.join(folder, 's3'));
    expect(stored.filter((name) => !name.startsWith('.')).sort()).toEqual(['costs']);
    expect(
      readdirSync(path.join(folder, 's3/costs'))
        .filter((name) => !name.startsWith('.'))
        .sort(),
    ).toEqual(['federated', 'federated-etl']);
    expect(readdirSync(path.join(folder, 's3/costs/federated')).sort()).toEqual(
      [...clusters, 'combined'].sort(),
    );
    expect(readdirSync(folder).sort()).toEqual(
      ['etl', 'federated-etl.yaml', 'out', 'query', 's3', 'store.yaml'].sort(),
    );
  });
});
