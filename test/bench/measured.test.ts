import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { phasesOf, type WorkflowHistory } from '../../bench/federation/histories';
import { windowsBefore } from '../../bench/federation/made-up-store';
import { added, parseMetrics, sumsBy } from '../../bench/federation/metrics';
import { madeUpFile } from '../../bench/merge/made-up-clusters';
import { decodeSet } from '../../etl/file';
import { parseWindowId, pipelines, windowId } from '../../etl/window';
import { historyFromJson } from '../workflows/history-json';

describe('the windows of a benchmark', () => {
  const now = new Date('2026-11-21T12:34:56Z');

  it('are those that an agent keeps', () => {
    const names = windowsBefore(now, 280).map(windowId);
    expect(new Set(names).size).toBe(280);
    for (const pipeline of pipelines) {
      expect(names.filter((name) => name.startsWith(`${pipeline}/1d/`))).toHaveLength(91);
      expect(names.filter((name) => name.startsWith(`${pipeline}/1h/`))).toHaveLength(49);
    }
  });

  it('are closed, the newest day of allocations first', () => {
    const windows = windowsBefore(now, 20);
    expect(windows).toHaveLength(20);
    for (const ref of windows) expect(parseWindowId(windowId(ref))).toEqual(ref);
    expect(Math.max(...windows.map(({ window }) => window.end))).toBe(Date.UTC(2026, 10, 21, 12) / 1_000);
    expect(windows[0]).toEqual({
      pipeline: 'allocations',
      resolution: '1d',
      window: { start: Date.UTC(2026, 10, 20) / 1_000, end: Date.UTC(2026, 10, 21) / 1_000 },
    });
  });
});

describe('a made-up file', () => {
  const file = { window: { start: 1_792_108_800, end: 1_792_112_400 }, cluster: 3, records: 5 };

  it.each(pipelines)('of %s contains its window', (pipeline) => {
    const { window } = decodeSet(pipeline, madeUpFile({ pipeline, ...file }));
    expect([window.start?.seconds, window.end?.seconds]).toEqual([file.window.start, file.window.end]);
  });

  it.each(pipelines)('of %s differs each time it is built, and for each cluster', (pipeline) => {
    const builds = [0, 1, 2, 3].map((built) => madeUpFile({ pipeline, ...file, built }).toString('latin1'));
    expect(new Set(builds).size).toBe(4);
    expect(madeUpFile({ pipeline, ...file, built: 2 }).toString('latin1')).toBe(builds[2]);
    expect(builds).not.toContain(madeUpFile({ pipeline, ...file, cluster: 4 }).toString('latin1'));
  });
});

describe('the metrics of a process', () => {
  const text = [
    '# HELP calls Calls',
    'calls_count{verb="get",outcome="ok"} 3',
    'calls_count{verb="get",outcome="A \\"B\\", C"} 1',
    'calls_count{verb="put",outcome="ok"} 2.5e3',
    'calls_total 7',
    'other{verb="get"} 9',
  ].join('\n');

  it('are read, with their labels', () =>
    expect(parseMetrics(text)).toContainEqual({
      name: 'calls_count',
      labels: { verb: 'get', outcome: 'A \\"B\\", C' },
      value: 1,
    }));

  it('are summed by a label', () =>
    expect(sumsBy(parseMetrics(text), 'calls_count', 'verb')).toEqual(
      new Map([
        ['get', 4],
        ['put', 2_500],
      ]),
    ));

  it('are compared with an earlier reading', () => {
    const before = new Map([
      ['get', 4],
      ['put', 1],
    ]);
    const after = new Map([
      ['get', 6],
      ['put', 1],
      ['list', 3],
    ]);
    expect(added(before, after)).toEqual(
      new Map([
        ['get', 2],
        ['list', 3],
      ]),
    );
  });
});

describe('the steps of a run', () => {
  const history = (file: string, type: string): WorkflowHistory => ({
    workflowId: type,
    type,
    events: 0,
    bytes: 0,
    largestPayloadBytes: 0,
    seconds: 0,
    history: historyFromJson(readFileSync(join(__dirname, '../histories', `${file}.json`), 'utf8')),
  });

  it('are found in its histories', () => {
    const phases = phasesOf([history('federation-lanes', 'federation'), history('commit', 'commit')]);
    expect(Object.keys(phases).sort()).toEqual(['commit', 'merge', 'plan', 'publish']);
    for (const seconds of Object.values(phases)) expect(seconds).toBeGreaterThan(0);
  });

  it('are absent if they were not executed', () => {
    const { plan, merge, commit, publish } = phasesOf([history('roster', 'roster')]);
    expect([plan, merge, commit, publish]).toEqual([undefined, undefined, undefined, undefined]);
  });
});
