import { type FederationReport, reportSchema } from '../federation/run';
import { runReportKey } from '../storage/layout';
import { writeJson } from '../storage/read-all';
import type { FederationDependencies } from './federation-dependencies';

/** Writes how a run ended, as its last object. Written again, it is replaced. */
export function createWriteReport({ bucket, signal }: Pick<FederationDependencies, 'bucket' | 'signal'>) {
  return async (report: FederationReport): Promise<void> => {
    await writeJson(bucket, runReportKey(report.run), reportSchema.parse(report), { signal: signal() });
  };
}
