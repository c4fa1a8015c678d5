import { containersOf, fields, type PodSource } from './pods';

/** Finds violations of the restricted Pod Security Standard, and of some additional rules for least privilege. */
export function findUnsafe({ path, spec }: PodSource): string[] {
  const pod = fields(spec['securityContext']);
  const problems: string[] = [];
  const check = (at: string, found: unknown, wanted: unknown): void => {
    if (found !== wanted)
      problems.push(`${at} must be ${String(wanted)}, is ${JSON.stringify(found) ?? 'missing'}`);
  };
  check(`${path}.automountServiceAccountToken`, spec['automountServiceAccountToken'], false);
  if (typeof spec['terminationGracePeriodSeconds'] !== 'number')
    problems.push(`${path}.terminationGracePeriodSeconds is missing`);
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'])
    if (spec[field] === true) problems.push(`${path}.${field} must not be true`);
  for (const { container, path: containerPath } of containersOf(spec, path)) {
    const own = fields(container['securityContext']);
    const at = `${containerPath}.securityContext`;
    // A container inherits this field from its pod unless it sets the field itself.
    check(`${at}.runAsNonRoot`, own['runAsNonRoot'] ?? pod['runAsNonRoot'], true);
    check(
      `${at}.seccompProfile.type`,
      fields(own['seccompProfile'] ?? pod['seccompProfile'])['type'],
      'RuntimeDefault',
    );
    check(`${at}.readOnlyRootFilesystem`, own['readOnlyRootFilesystem'], true);
    check(`${at}.allowPrivilegeEscalation`, own['allowPrivilegeEscalation'], false);
    if (own['privileged'] === true) problems.push(`${at}.privileged must not be true`);
    if (own['runAsUser'] === 0 || (own['runAsUser'] === undefined && pod['runAsUser'] === 0))
      problems.push(`${at}.runAsUser must not be 0`);
    const { drop, add } = fields(own['capabilities']);
    if (!(drop as unknown[] | undefined)?.includes('ALL'))
      problems.push(`${at}.capabilities.drop must have ALL`);
    if ((add as unknown[] | undefined)?.length) problems.push(`${at}.capabilities.add must be empty`);
    const { requests } = fields(container['resources']);
    for (const resource of ['cpu', 'memory'])
      if (fields(requests)[resource] === undefined)
        problems.push(`${containerPath}.resources.requests.${resource} is missing`);
  }
  return problems;
}
