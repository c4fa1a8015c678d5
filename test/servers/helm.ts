import type { FindOptions, GoServer } from '../../scripts/set-up/go-server';
import { describeWith } from './describe-with';
import { findGoProgram } from './go-program';
import { missing } from './paths';

const version = '4.3.1';

/** Helm, which renders the chart. It is no server, but is found and built as they are. */
export const helm: GoServer = {
  name: 'helm',
  version,
  goPackage: 'helm.sh/helm/v4/cmd/helm',
  // A program that `go install` builds would not know which version it is.
  ldflags: `-s -w -X helm.sh/helm/v4/internal/version.version=v${version}`,
  minimumGo: '1.26',
  packages: 1_183,
  coldBuild: '5 minutes',
  // Its major version is the only sure difference: most of what Helm 3 prints is the same.
  probes: [{ args: ['version', '--short'], mustSay: ['v4'] }],
};

/** Finds Helm 4, or builds it: HELM, the PATH, the project's cache, `go install`. */
export async function findHelm(options: FindOptions): Promise<string> {
  return findGoProgram(helm, 'HELM', options);
}

/** A suite that needs Helm. */
export function describeWithHelm(name: string, suite: () => void): void {
  describeWith(missing('helmMissing'), name, suite);
}
