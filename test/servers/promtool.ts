import type { FindOptions, GoServer } from '../../scripts/set-up/go-server';
import { findGoProgram } from './go-program';

/**
 * Prometheus' tool for testing alert rules. Only the long form of the tests uses it, because building it takes minutes.
 */
export const promtool: GoServer = {
  name: 'promtool',
  version: '0.316.0',
  goPackage: 'github.com/prometheus/prometheus/cmd/promtool',
  ldflags: '-s -w',
  minimumGo: '1.26',
  packages: 1_364,
  coldBuild: '6 minutes',
  // Older versions of promtool do not support names of test groups.
  probes: [{ args: ['test', 'rules', '--help'], mustSay: ['--run'] }],
};

/**
 * Finds promtool. Looks at the path in PROMTOOL, on the PATH and in the project's cache. If promtool is not there,
 * builds it with `go install`.
 */
export async function findPromtool(options: FindOptions): Promise<string> {
  return findGoProgram(promtool, 'PROMTOOL', options);
}
