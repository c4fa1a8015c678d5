import pino from 'pino';
import { createPlanFederation } from '../../activities/plan-federation';
import { createRecordRequest } from '../../activities/record-request';
import { createWriteReport } from '../../activities/write-report';
import { programVersion } from '../../config/program-version';
import { readDocument } from '../../federation/document';
import { documents } from '../../federation/documents';
import { type FederationReport } from '../../federation/run';
import { noCalls } from '../../federation/store-calls';
import { unsafeWithoutCondition } from '../../storage/conditional-create';
import { openFilesystem } from '../../storage/drivers/filesystem';
import { removeTemporaryFolders, temporaryFolder } from '../storage/temporary-folder';

afterAll(removeTemporaryFolders);

test('a run on a store without conditional create reports it, in the log and in its report', async () => {
  const bucket = openFilesystem({ directory: temporaryFolder() });
  const lines: { event: string; run?: string }[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]) });
  const deps = {
    bucket,
    log,
    federator: 'cluster-4',
    scope: { exclude: [] },
    shrinkage: { closedAfter: 0, shrinkage: 0.5 },
    program: programVersion(),
    roster: async () => ({ exclusions: {}, roster: 'r' }),
    now: () => new Date(),
    heartbeat: () => undefined,
    signal: () => new AbortController().signal,
    storeWarnings: async () => [unsafeWithoutCondition],
  };
  const request = { trigger: 'person', at: '2026-11-20T00:00:00.000Z' } as const;
  await createRecordRequest(deps)({ run: 'run-1', request });
  await createPlanFederation(deps)({ run: 'run-1', attempt: 1, request });
  expect(lines).toContainEqual(expect.objectContaining({ event: 'federation.unsafe-store', run: 'run-1' }));

  const report: FederationReport = {
    format: 1,
    run: 'run-1',
    workflowRunId: 'w',
    outcome: 'nothing',
    startedAt: '2026-11-20T00:00:00.000Z',
    endedAt: '2026-11-20T00:00:01.000Z',
    clusters: 0,
    excluded: [],
    windows: { all: 0, planned: 0, merged: 0, reused: 0, removed: 0 },
    quarantined: 0,
    shrunk: 0,
    unfinished: [],
    calls: noCalls(),
  };
  await createWriteReport(deps)(report);
  const written = await readDocument(bucket, documents.runReport.at('run-1'));
  expect(written?.warnings).toEqual([unsafeWithoutCondition]);
  await createWriteReport({ ...deps, storeWarnings: async () => [] })(report);
  expect(await readDocument(bucket, documents.runReport.at('run-1'))).toEqual(report);
});
