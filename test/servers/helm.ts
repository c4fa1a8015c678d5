import type { FindOptions, GoServer } from '../../scripts/set-up/go-server';
import { describeWith } from './describe-with';
import { findGoProgram } from './go-program';
import { missing } from './paths';

const version = '4.3.1';

/** Helm, which renders the chart. It is not a server, but is found and built like one. */
export const helm: GoServer = {
  name: 'helm',
  version,
  goPackage: 'helm.sh/helm/v4/cmd/helm',
  // Without this flag, a program built by `go install` would not know its version.
  ldflags: `-s -w -X helm.sh/helm/v4/internal/version.version=v${version}`,
  minimumGo: '1.26',
  packages: 1_183,
  coldBuild: '5 minutes',
  // Only the major version reliably tells them apart: Helm 3 prints mostly the same.
  probes: [{ args: ['version', '--short'], mustSay: ['v4'] }],
};

/** Finds Helm 4 at HELM, on the PATH or in the project's cache; otherwise builds it with `go install`. */
export async function findHelm(options: FindOptions): Promise<string> {
  return findGoProgram(helm, 'HELM', options);
}

/** Defines a suite that needs Helm. */
export function describeWithHelm(name: string, suite: () => void): void {
  describeWith(missing('helmMissing'), name, suite);
}
