import type { FindOptions, GoServer } from '../../scripts/set-up/go-server';
import { describeWith } from './describe-with';
import { findGoProgram } from './go-program';
import { missing } from './paths';

const version = '4.3.1';

/**
 * Helm, with which tests render the chart. It is not a server, but tests find it or build it in the same way as
 * servers.
 */
export const helm: GoServer = {
  name: 'helm',
  version,
  goPackage: 'helm.sh/helm/v4/cmd/helm',
  // Set the version with this flag, because a program that is built by `go install` does not know its own version.
  ldflags: `-s -w -X helm.sh/helm/v4/internal/version.version=v${version}`,
  minimumGo: '1.26',
  packages: 1_183,
  coldBuild: '5 minutes',
  // Check the major version, to reject Helm 3. Apart from the version, Helm 3 and Helm 4 print almost the same.
  probes: [{ args: ['version', '--short'], mustSay: ['v4'] }],
};

/**
 * Finds Helm 4. Looks at the path in HELM, on the PATH and in the project's cache. If Helm is not there, builds it with
 * `go install`.
 */
export async function findHelm(options: FindOptions): Promise<string> {
  return findGoProgram(helm, 'HELM', options);
}

/** Defines a suite that needs Helm. */
export function describeWithHelm(name: string, suite: () => void): void {
  describeWith(missing('helmMissing'), name, suite);
}
