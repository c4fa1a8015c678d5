import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { failureOf } from '../../api/failures';
import { windowOf, writeWorld } from '../../bench/query/made-up-files';
import { openDatabase } from '../../query/database';
import { QueryEngine } from '../../query/engine';
import { noRoomOf } from '../../query/no-room';
import type { AllocationRequest } from '../../query/request';
import { runs } from '../etl/run-counts';
import { loadTypescript } from '../servers/load-typescript';
import { combinedEtl, wantedFrom } from './engine-over';
import { type Disk, disks } from './full-disk';
import { fields, request } from './small-world';

/**
 * SQL that creates a table larger than the memory limit. Its data cannot be compressed, so the database has to write it
 * to disk.
 */
const spilling =
  'create temporary table much as select md5(x::varchar) || md5((x + 1)::varchar) as text from range(3000000) t(x)';
const golden: AllocationRequest = { ...request, window: { start: 1_794_614_400, end: 1_794_873_600 } };
const small = { memoryLimit: '64MB', threads: 1 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'no-room-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a statement that is expected to fail. Returns the error of the database. */
async function refusalOf(sql: string, settings: Record<string, string>): Promise<unknown> {
  const instance = await DuckDBInstance.create(path.join(folder, 'other.duckdb'), settings);
  const connection = await instance.connect();
  try {
    return await connection.run(sql).then(
      () => undefined,
      (error: unknown) => error,
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Returns the CPU costs by namespace, as a string that can be compared with other answers. */
async function answerOf(engine: QueryEngine): Promise<string> {
  const { sets } = await engine.allocations(golden);
  return JSON.stringify(sets.map(({ rows }) => rows.map(({ name, cpuCost }) => [name, cpuCost.toFixed(6)])));
}

describe('an error of the database', () => {
  const spill = () => ({ temp_directory: path.join(folder, 'spill') });

  it('is recognized as lack of memory', async () => {
    const error = await refusalOf('select list(x) from range(30000000) t(x)', { memory_limit: '24MB' });
    expect(noRoomOf(error, { folder, memoryLimit: '24MB' })).toMatchObject({
      code: 'QUERY_NO_ROOM',
      retryable: true,
      subject: { setting: 'query.memory' },
      detail: 'The database needs more memory than query.memory gives it, 24MB.',
      cause: error,
    });
    const tiny = await refusalOf('select * from range(100000) order by 1', { memory_limit: '100KB' });
    expect(noRoomOf(tiny, { folder, memoryLimit: '100KB' })?.subject).toEqual({ setting: 'query.memory' });
  });

  it('is recognized as lack of room to spill', async () => {
    const settings = { memory_limit: '24MB', ...spill() };
    const error = await refusalOf(`set max_temp_directory_size = '1MB'; ${spilling}`, settings);
    expect(noRoomOf(error, { folder, memoryLimit: '24MB' })).toMatchObject({
      code: 'QUERY_NO_ROOM',
      subject: { setting: 'query.path' },
    });
  });

  it('of any other kind is not recognized', async () => {
    const error = await refusalOf('select nothing', {});
    expect(error).toBeDefined();
    expect(noRoomOf(error, { folder, memoryLimit: '24MB' })).toBeUndefined();
  });
});

describe('a query without enough memory', () => {
  it('is answered 503 naming query.memory; other queries are answered', async () => {
    const days = 2;
    const etl = path.join(folder, 'etl');
    await writeWorld(etl, { days, clusters: 5, allocations: 4_000 });
    const database = path.join(folder, 'database');
    const ample = await QueryEngine.open({ folder: database, memoryLimit: '256MB', threads: 2 });
    await ample.serve(await wantedFrom(etl), { ingestedAt: 'a' });
    ample.close();
    const engine = await QueryEngine.open({ folder: database, memoryLimit: '24MB', threads: 2 });
    try {
      const window = { start: windowOf(0).start, end: windowOf(days - 1).end };
      const asked = { ...request, window, step: { seconds: 86_400 }, aggregatedMetadata: true };
      const idle = { include: true, byNode: true, split: true, share: true };
      const heavy = engine.allocations({ ...asked, idle, groups: fields('cluster', 'pod', 'container') });
      const error: unknown = await heavy.then(
        () => undefined,
        (refused: unknown) => refused,
      );
      expect(error).toMatchObject({ code: 'QUERY_NO_ROOM', subject: { setting: 'query.memory' } });
      const { status, headers, body, id } = failureOf(error);
      expect({ status, id, wait: headers['retry-after'] }).toEqual({ status: 503, wait: '30' });
      expect(body).toContain('query.memory');
      const { sets } = await engine.allocations({ ...asked, groups: fields('cluster') });
      expect(sets[0]?.rows).toHaveLength(5);
    } finally {
      engine.close();
    }
  });
});

describe('an ingest without enough memory', () => {
  it('fails, and the served generation stays', async () => {
    const etl = path.join(folder, 'etl');
    await writeWorld(etl, { days: 1, clusters: 4, allocations: 4_000 });
    const database = { folder: path.join(folder, 'database'), threads: 2 };
    const ample = await QueryEngine.open({ ...database, memoryLimit: '256MB' });
    await ample.serve(await wantedFrom(combinedEtl), { generation: 1, ingestedAt: 'a' });
    const answer = await answerOf(ample);
    ample.close();
    const more = [...(await wantedFrom(combinedEtl)), ...(await wantedFrom(etl))];
    const scarce = await QueryEngine.open({ ...database, memoryLimit: '8MB' });
    try {
      await expect(scarce.serve(more, { generation: 2, ingestedAt: 'b' })).rejects.toMatchObject({
        code: 'QUERY_NO_ROOM',
        subject: { setting: 'query.memory' },
      });
      expect(scarce.state()).toMatchObject({
        generation: 1,
        refused: { generation: 2, code: 'QUERY_NO_ROOM' },
      });
    } finally {
      scarce.close();
    }
    const again = await QueryEngine.open({ ...database, memoryLimit: '256MB' });
    try {
      expect(await answerOf(again)).toBe(answer);
      await again.serve(more, { generation: 2, ingestedAt: 'b' });
      expect(again.state().generation).toBe(2);
    } finally {
      again.close();
    }
  });
});

describe.each(runs(disks.slice(0, 1), disks))('%s', (_, open) => {
  let disk: Disk;
  beforeEach(() => {
    disk = open();
  });
  afterEach(() => disk.dispose());

  const database = () => ({ folder: path.join(disk.folder, 'database'), ...small });

  it('fails an ingest; the served generation stays, and the next ingest succeeds once there is room', async () => {
    const etl = path.join(folder, 'etl');
    await writeWorld(etl, { days: 1, clusters: 4, allocations: 4_000 });
    const engine = await QueryEngine.open(database());
    try {
      await engine.serve(await wantedFrom(combinedEtl), { generation: 1, ingestedAt: 'a' });
      const answer = await answerOf(engine);
      disk.limit(2 ** 20);
      const more = [...(await wantedFrom(combinedEtl)), ...(await wantedFrom(etl))];
      for (let attempt = 0; attempt < runs(2, 3); attempt++) {
        await expect(engine.serve(more, { generation: 2, ingestedAt: 'b' })).rejects.toMatchObject({
          code: 'QUERY_NO_ROOM',
          retryable: true,
          subject: { setting: 'query.path' },
          detail: 'The volume of query.path is full.',
        });
        expect(engine.state()).toMatchObject({
          generation: 1,
          refused: { generation: 2, code: 'QUERY_NO_ROOM' },
        });
      }
      expect(await answerOf(engine)).toBe(answer);
      disk.free();
      expect(await engine.serve(more, { generation: 2, ingestedAt: 'b' })).toMatchObject({ files: 16 });
      expect(engine.state()).toMatchObject({ generation: 2 });
      expect(engine.state().refused).toBeUndefined();
      expect(await answerOf(engine)).toBe(answer);
    } finally {
      engine.close();
    }
  });

  it('fails a query, which succeeds once there is room', async () => {
    const engine = await QueryEngine.open(database());
    try {
      await engine.serve(await wantedFrom(combinedEtl), { generation: 1, ingestedAt: 'a' });
      disk.limit(4 * 2 ** 20);
      const ask = () => engine.withConnection((connection) => connection.run(spilling));
      await expect(ask()).rejects.toMatchObject({
        code: 'QUERY_NO_ROOM',
        subject: { setting: 'query.path' },
      });
      await expect(answerOf(engine)).resolves.toBeDefined();
      disk.free();
      await expect(ask()).resolves.toBeDefined();
    } finally {
      engine.close();
    }
  });

  it('may make the database unusable; it is reopened automatically', async () => {
    const engine = await QueryEngine.open(database());
    try {
      await engine.serve(await wantedFrom(combinedEtl), { generation: 1, ingestedAt: 'a' });
      const answer = await answerOf(engine);
      disk.limit(1);
      // On a full disk, a checkpoint fails and makes the database unusable.
      const checkpoint = engine.withConnection(async (connection) => {
        await connection.run('rollback');
        await connection.run('checkpoint');
      });
      await expect(checkpoint).rejects.toMatchObject({ code: 'QUERY_NO_ROOM' });
      const meanwhile = await answerOf(engine).catch((error: unknown) => failureOf(error).status);
      expect([answer, 503]).toContain(meanwhile);
      disk.free();
      expect(await answerOf(engine)).toBe(answer);
      expect(engine.state()).toMatchObject({ generation: 1, empty: false });
      await engine.serve((await wantedFrom(combinedEtl)).slice(1), { generation: 2, ingestedAt: 'b' });
      expect(engine.state().generation).toBe(2);
      // The engine has reopened the database, so it must hold the lock that keeps other processes out.
      const other = fork(path.join(__dirname, 'ingest-child.ts'), [database().folder], {
        execArgv: loadTypescript,
      });
      expect(await once(other, 'message')).toEqual(['QUERY_DATABASE_UNUSABLE', undefined]);
    } finally {
      engine.close();
    }
  });

  it('is reported when a database is opened, leaving it unchanged', async () => {
    const first = await QueryEngine.open(database());
    await first.serve(await wantedFrom(combinedEtl), { generation: 1, ingestedAt: 'a' });
    first.close();
    disk.limit(1);
    await openDatabase(database()).then(
      (opened) => opened.close(),
      (error: unknown) => expect(error).toMatchObject({ code: 'QUERY_NO_ROOM' }),
    );
    const onFullDisk = openDatabase({ ...database(), folder: path.join(disk.folder, 'second') });
    await expect(onFullDisk).rejects.toMatchObject({
      code: 'QUERY_NO_ROOM',
      subject: { setting: 'query.path' },
    });
    disk.free();
    const second = await QueryEngine.open(database());
    expect(second.state().generation).toBe(1);
    second.close();
  });
});
