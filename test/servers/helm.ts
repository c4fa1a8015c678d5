import type { FindOptions, GoServer } from '../../scripts/set-up/go-server';
import { describeWith } from './describe-with';
import { findGoProgram } from './go-program';
import { missing } from './paths';

const version = '4.3.1';

/** Helm, which renders the chart. It is not a server, but found and built the same way. */
export const helm: GoServer = {
  name: 'helm',
  version,
  goPackage: 'helm.sh/helm/v4/cmd/helm',
  // A program built by `go install` would not know its version.
  ldflags: `-s -w -X helm.sh/helm/v4/internal/version.version=v${version}`,
  minimumGo: '1.26',
  packages: 1_183,
  coldBuild: '5 minutes',
  // The major version is the only reliable difference: Helm 3 prints mostly the same.
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
