import { type FederationReport, reportSchema } from '../federation/run';
import { runReportKey } from '../federation/layout';
import { writeJson } from '../storage/read-all';
import type { FederationDependencies } from './federation-dependencies';

type ReportDependencies = Pick<FederationDependencies, 'bucket' | 'signal' | 'storeWarnings'>;

/** Writes how a run ended, and what is to be known of the store, as its last object. Written again, it is replaced. */
export function createWriteReport({ bucket, signal, storeWarnings }: ReportDependencies) {
  return async (report: FederationReport): Promise<void> => {
    const warnings = await storeWarnings();
    const written = { ...report, ...(warnings.length > 0 && { warnings }) };
    await writeJson(bucket, runReportKey(report.run), reportSchema.parse(written), { signal: signal() });
  };
}
