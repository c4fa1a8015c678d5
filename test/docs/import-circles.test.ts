import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(__dirname, '../..');

/** Lists the modules that a TypeScript configuration includes. */
function modulesOf(config: string): string[] {
  const { config: json } = ts.readConfigFile(join(root, config), ts.sys.readFile) as { config: unknown };
  return ts.parseJsonConfigFileContent(json, ts.sys, resolve(root, config, '..')).fileNames;
}

/** Returns, for each module, which of the given modules it imports. Includes type-only imports. */
function importsOf(modules: ReadonlySet<string>): Map<string, string[]> {
  const imported = (from: string, specifier: string) =>
    ['', '.ts', '.tsx', '/index.ts']
      .map((ending) => resolve(from, '..', specifier) + ending)
      .find((path) => modules.has(path));
  return new Map(
    [...modules].map((module) => [
      module,
      ts
        .preProcessFile(readFileSync(module, 'utf8'))
        .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
        .flatMap(({ fileName }) => imported(module, fileName) ?? []),
    ]),
  );
}

/**
 * Finds a cycle of modules that import each other. Returns the path from a module back to itself, or undefined if there
 * is no cycle.
 */
function findCircle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (module: string): string[] | undefined => {
    if (path.includes(module)) return [...path.slice(path.indexOf(module)), module];
    if (done.has(module)) return undefined;
    done.add(module);
    path.push(module);
    for (const next of graph.get(module) ?? []) {
      const circle = visit(next);
      if (circle !== undefined) return circle;
    }
    path.pop();
    return undefined;
  };
  for (const module of graph.keys()) {
    const circle = visit(module);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

describe('the imports of all modules, types included', () => {
  it('form no circle', () => {
    const modules = new Set([...modulesOf('tsconfig.json'), ...modulesOf('web/tsconfig.json')]);
    const graph = importsOf(modules);
    expect([...graph.values()].flat().length).toBeGreaterThan(modules.size);
    expect(findCircle(graph)?.map((module) => relative(root, module))).toBeUndefined();
  });

  it('would be found to form one', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['b']],
    ]);
    expect(findCircle(graph)).toEqual(['b', 'd', 'b']);
  });
});
