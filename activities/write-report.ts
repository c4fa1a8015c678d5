import { replaceDocument } from '../federation/document';
import { documents } from '../federation/documents';
import { type FederationReport, reportSchema } from '../federation/run';
import type { FederationDependencies } from './federation-dependencies';

type ReportDependencies = Pick<FederationDependencies, 'bucket' | 'signal' | 'storeWarnings'>;

/**
 * Creates the activity that writes a run's report, including any warnings about the store, as the last object of the
 * run. If the run already has a report, replaces it. If the run failed because the bucket does not contain the
 * federation that the roster knows, writes nothing, because a report does not belong in this bucket. How the run ended
 * can then be seen only in Temporal.
 */
export function createWriteReport({ bucket, signal, storeWarnings }: ReportDependencies) {
  return async (report: FederationReport): Promise<void> => {
    const code = report.error?.code;
    if (code === 'FEDERATION_MISSING' || code === 'FEDERATION_OTHER') return;
    const warnings = await storeWarnings();
    const written = { ...report, ...(warnings.length > 0 && { warnings }) };
    const document = documents.runReport.at(report.run);
    await replaceDocument(bucket, document, reportSchema.parse(written), { signal: signal() });
  };
}
