import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FederationError, isFederationError } from '../../errors/federation-error';
import { defaultAliases } from '../../query/aliases';
import { rowCost } from '../../query/cost';
import { QueryEngine } from '../../query/engine';
import { parseAllocationRequest } from '../../query/parse-request';
import type { AllocationRequest } from '../../query/request';
import { runs } from '../etl/run-counts';
import { loadTypescript } from '../servers/load-typescript';
import { combinedEtl, goldenEngine, openEngine, wantedFrom } from './engine-over';

const request: AllocationRequest = parseAllocationRequest(
  { window: '2026-11-14T00:00:00Z,2026-11-17T00:00:00Z', aggregate: 'cluster', includeIdle: 'true' },
  { flavour: 'opencost', now: 1_795_000_000, utcOffsetSeconds: 0, aliases: defaultAliases },
);

/** Returns an engine's answer to a fixed request, as a string that can be compared with other answers. */
async function answerOf(engine: QueryEngine): Promise<string> {
  const { sets, generation } = await engine.allocations(request);
  return JSON.stringify([generation, sets[0]?.rows.map((row) => [row.name, rowCost(row).toFixed(6)])]);
}

describe('the served generation', () => {
  it('is the same after the database is reopened', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'query-'));
    try {
      const first = await openEngine({ folder });
      const wanted = await wantedFrom(combinedEtl);
      expect(await first.serve(wanted, { generation: 1, ingestedAt: 'a' })).toMatchObject({
        files: 14,
        ingested: 14,
      });
      const answer = await answerOf(first);
      first.close();
      const second = await openEngine({ folder });
      expect(second.state()).toMatchObject({ generation: 1, empty: false });
      expect(await answerOf(second)).toBe(answer);
      expect(await second.serve(wanted, { generation: 2, ingestedAt: 'b' })).toMatchObject({ ingested: 0 });
      expect(second.state().generation).toBe(2);
      second.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('stays while a newer one cannot be read, with a warning in the answers', async () => {
    const engine = await goldenEngine();
    try {
      const before = await answerOf(engine);
      const [first, ...others] = await wantedFrom(combinedEtl);
      if (first === undefined) throw new Error('there are no golden files');
      const broken = { ...first, digest: 'broken', read: () => Promise.reject(new Error('unread')) };
      await expect(engine.serve([...others, broken], { generation: 8, ingestedAt: 'b' })).rejects.toThrow(
        'unread',
      );
      expect(await answerOf(engine)).toBe(before);
      const truncated = new FederationError('ETL_TRUNCATED', { detail: 'It ends too early.' });
      const cut = { ...first, digest: 'cut', read: () => Promise.reject(truncated) };
      await expect(engine.serve([cut, ...others], { generation: 8, ingestedAt: 'b' })).rejects.toThrow(
        'too early',
      );
      expect(engine.state().refused).toEqual({
        generation: 8,
        code: 'ETL_TRUNCATED',
        message: 'It ends too early.',
      });
      expect((await engine.allocations(request)).warnings[0]).toBe(
        'Generation 8 could not be ingested (ETL_TRUNCATED: It ends too early.); this is generation 7.',
      );
      await engine.serve([first, ...others], { generation: 9, ingestedAt: 'c' });
      expect(engine.state().refused).toBeUndefined();
      expect((await engine.allocations(request)).warnings).toEqual([]);
    } finally {
      engine.dispose();
    }
  });

  it('stays the same for a query during an ingest', async () => {
    const engine = await goldenEngine();
    try {
      const wanted = await wantedFrom(combinedEtl);
      const [whole, less] = [wanted, wanted.filter(({ window }) => window.start !== 1_794_614_400)];
      const answers = new Set<string>();
      let generation = 10;
      const swapping = (async () => {
        for (; generation < 22; generation++) {
          await engine.serve(generation % 2 === 0 ? whole : less, {
            generation,
            ingestedAt: String(generation),
          });
        }
      })();
      for (let asked = 0; asked < 40; asked++) {
        const { sets } = await engine.allocations(request);
        answers.add(sets[0]?.rows.reduce((sum, row) => sum + rowCost(row), 0).toFixed(4) ?? '');
      }
      await swapping;
      // Each answer contains either the whole first day or none of it, so there are two different totals.
      expect(answers.size).toBe(2);
    } finally {
      engine.dispose();
    }
  });

  it('keeps no data of files that are no longer served', async () => {
    const engine = await goldenEngine();
    try {
      const wanted = await wantedFrom(combinedEtl);
      await engine.serve(wanted.slice(0, 2), { generation: 8, ingestedAt: 'b' });
      const files = await engine.withConnection(async (connection) => {
        const reader = await connection.runAndReadAll(
          'select count(distinct file) from (select file from allocation union all select file from asset)',
        );
        return Number(reader.getRowsJS()[0]?.[0]);
      });
      expect(files).toBe(2);
    } finally {
      engine.dispose();
    }
  });
});

describe('the database', () => {
  it('is refused to a second process, and discarded if it is corrupt', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'query-'));
    try {
      writeFileSync(
        path.join(folder, 'query.duckdb'),
        'this is not a database, but long enough to be taken for one',
      );
      const engine = await openEngine({ folder });
      expect(engine.state().empty).toBe(true);
      await expect(engine.allocations(request)).rejects.toMatchObject({ code: 'QUERY_NO_DATA' });
      const other = fork(path.join(__dirname, 'ingest-child.ts'), [folder], {
        execArgv: loadTypescript,
      });
      const [code] = (await once(other, 'message')) as [string];
      expect(code).toBe('QUERY_DATABASE_UNUSABLE');
      await once(other, 'exit');
      engine.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('survives SIGKILL at any point of an ingest', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'query-'));
    const expected = await goldenEngine();
    const answer = (await answerOf(expected)).replace(/^\[7/, '[2');
    expected.dispose();
    try {
      for (const afterMs of runs([0, 80, 160, 250, 400], [0, 40, 80, 120, 160, 200, 250, 300, 400, 500])) {
        const child = fork(path.join(__dirname, 'ingest-child.ts'), [folder, combinedEtl], {
          execArgv: loadTypescript,
        });
        await once(child, 'message');
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        child.kill('SIGKILL');
        await once(child, 'exit');
        const engine = await QueryEngine.open({ folder, memoryLimit: '256MB', threads: 2 });
        // If the process was killed before the commit, the database is empty. Otherwise it must contain all files.
        if (!engine.state().empty) expect(await answerOf(engine)).toBe(answer);
        engine.close();
      }
      const engine = await QueryEngine.open({ folder, memoryLimit: '256MB', threads: 2 });
      await engine.serve(await wantedFrom(combinedEtl), { generation: 2, ingestedAt: 'b' });
      expect(await answerOf(engine)).toBe(answer);
      engine.close();
      expect(readdirSync(folder)).toContain('query.duckdb');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('limits', () => {
  it('refuse answers that are too large or take too long, and requests beyond the queue', async () => {
    const containers = {
      ...request,
      groups: ['pod', 'container'].map((field) => ({ kind: 'field' as const, field: field as 'pod' })),
    };
    const small = await goldenEngine({
      limits: { seconds: 30, rows: 20, megabytes: 128, concurrent: 1, waiting: 1 },
    });
    try {
      await expect(small.allocations(containers)).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' });
      const asked = ['ann', 'ann', 'ann', 'ann', 'bob', 'bob'].map((client) =>
        small.allocations(request, { client }).then(
          () => 'answered',
          (error: unknown) => (isFederationError(error) ? error.code : error),
        ),
      );
      // Bob's first query runs beside Ann's. His second one may not wait, as she has no more waiting than he would.
      const [answered, refused] = ['answered', 'QUERY_BUSY'];
      expect(await Promise.all(asked)).toEqual([answered, answered, refused, refused, answered, refused]);
    } finally {
      small.dispose();
    }
    const hasty = await goldenEngine({
      limits: { seconds: 0.05, rows: 1_000, megabytes: 128, concurrent: 1, waiting: 99 },
    });
    try {
      // Send far more queries than the engine can answer within the time limit.
      const asked = await Promise.allSettled(Array.from({ length: 40 }, () => hasty.allocations(request)));
      const late = asked.filter(
        (one) => one.status === 'rejected' && isFederationError(one.reason, 'QUERY_TIMEOUT'),
      );
      expect(late.length).toBeGreaterThan(0);
      expect(asked.every((one) => one.status === 'fulfilled' || late.includes(one))).toBe(true);
    } finally {
      hasty.dispose();
    }
  });

  it('count a query and the use of its answer as one', async () => {
    const limits = { seconds: 30, rows: 1_000, megabytes: 1, concurrent: 1, waiting: 1 };
    const engine = await goldenEngine({ limits });
    try {
      const { promise: used, resolve: end } = Promise.withResolvers<void>();
      const using = engine.inTurn({ client: 'ann' }, async (turn) => {
        await engine.allocations(request, turn);
        await engine.allocations(request, turn);
        await used;
        return 'used';
      });
      const next = engine.allocations(request, { client: 'ann' });
      expect(engine.load()).toEqual({ running: 1, waiting: 1 });
      end();
      await expect(using).resolves.toBe('used');
      await next;
    } finally {
      engine.dispose();
    }
  });

  it('stop a query whose client has gone', async () => {
    const engine = await goldenEngine();
    try {
      await expect(
        engine.allocations(request, { signal: AbortSignal.abort(new Error('gone')) }),
      ).rejects.toThrow('gone');
      await expect(engine.allocations(request)).resolves.toBeDefined();
    } finally {
      engine.dispose();
    }
  });
});
