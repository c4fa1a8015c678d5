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

/** The contents of a bill of materials. Packages are written as `name@version`. */
export interface Materials {
  readonly packages: readonly string[];
  /** Packages that are not installed but bundled into the page's files. */
  readonly inPage: readonly string[];
  readonly version: string;
  readonly commit: string;
}

/**
 * Returns the bill of materials of the built program, as CycloneDX: npm's bill for the checkout, reduced to the
 * program's packages. npm cannot write a bill for the built folder itself: some dependencies of its packages are
 * missing on purpose, and npm refuses to list a folder with missing dependencies.
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
    // The built page contains these packages, so they are required, although npm lists them as development
    // dependencies.
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
    // npm names the component after the checkout's folder.
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
