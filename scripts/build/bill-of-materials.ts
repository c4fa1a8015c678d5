import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

interface Component {
  readonly 'bom-ref': string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

interface BillOfMaterials {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** Data for the software bill of materials (SBOM) of the program. Each package is written as `name@version`. */
export interface Materials {
  readonly packages: readonly string[];
  /** Packages that are not installed with the program, because the files of the web page contain their code. */
  readonly inPage: readonly string[];
  readonly version: string;
  readonly commit: string;
}

/**
 * Returns the software bill of materials (SBOM) of the built program, in CycloneDX format. Uses npm to list the
 * packages in the checkout, and keeps only those that the program needs. npm cannot list the built folder itself: the
 * build omits some dependencies on purpose, and npm fails if a dependency is missing.
 */
export async function billOfMaterials(root: string, materials: Materials): Promise<object> {
  const { packages, inPage, version, commit } = materials;
  const { stdout } = await promisify(execFile)('npm', ['sbom', '--sbom-format', 'cyclonedx'], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  const bill = JSON.parse(stdout) as BillOfMaterials;
  const byName = new Map(bill.components.map((component) => [component['bom-ref'], component]));
  const componentOf = (name: string): Component => {
    const component = byName.get(name);
    if (component === undefined) throw new Error(`npm sbom does not list ${name}`);
    return component;
  };
  const components = [
    ...packages.map(componentOf),
    // npm lists these packages as development dependencies. Mark them as required, because the built web page contains
    // their code.
    ...inPage.map((name) => ({
      ...componentOf(name),
      scope: 'required',
      properties: [{ name: 'federated-etl:bundled-into', value: 'web/built' }],
    })),
  ].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  const component = {
    ...bill.metadata.component,
    'bom-ref': `federated-etl@${version}`,
    type: 'application',
    // npm sets this name to the name of the checkout's folder. Replace it.
    name: 'federated-etl',
    version,
    purl: `pkg:npm/federated-etl@${version}`,
    properties: [{ name: 'federated-etl:commit', value: commit }],
  };
  const known = new Set([...packages, ...inPage]);
  const needs = (dependsOn: readonly string[] = []) => dependsOn.filter((name) => known.has(name));
  const own = bill.dependencies.find(({ ref }) => ref === bill.metadata.component['bom-ref']);
  return {
    ...bill,
    metadata: { ...bill.metadata, component },
    components,
    dependencies: [
      { ref: component['bom-ref'], dependsOn: needs(own?.dependsOn) },
      ...bill.dependencies
        .filter(({ ref }) => known.has(ref))
        .map(({ ref, dependsOn }) => ({ ref, dependsOn: needs(dependsOn) })),
    ],
  };
}
