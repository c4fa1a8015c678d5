import path from 'node:path';
import ts from 'typescript';
import { allocationPlaces, assetPlaces, edited, models, root, versions } from './new-fields';

const places = [...allocationPlaces, ...assetPlaces];
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(path.join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)).config,
  ts.sys,
  root,
);

/** Compiles the project's sources with various edits. Files that are never edited are parsed only once. */
class Compiler {
  private sources: ReadonlyMap<string, string> = new Map();
  private revision = 0;
  private readonly files = [...new Set([...versions, ...models, ...places].map(({ file }) => file))];
  private readonly service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => this.files.map((file) => path.join(root, file)),
    getScriptVersion: (file) => (this.isEdited(file) ? String(this.revision) : '0'),
    getScriptSnapshot: (file) => {
      const text = this.sources.get(path.relative(root, file)) ?? ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    readFile: (file) => ts.sys.readFile(file),
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    directoryExists: (folder) => ts.sys.directoryExists(folder),
    fileExists: (file) => ts.sys.fileExists(file),
  });

  /** Applies the edits to the sources, then compiles `files`. Returns the files that have errors. */
  failing(edits: Parameters<typeof edited>[0], files: readonly string[] = this.files): string[] {
    this.sources = edited(edits);
    this.revision++;
    return files.filter((file) => this.service.getSemanticDiagnostics(path.join(root, file)).length > 0);
  }

  private isEdited(file: string): boolean {
    return this.files.includes(path.relative(root, file));
  }
}

describe('a new field of an allocation or an asset', () => {
  const compiler = new Compiler();

  it('compiles if every place has decided about it', () => {
    expect(compiler.failing([...versions, ...models, ...places])).toEqual([]);
  });

  it.each(places.map((place) => [place.line.trim().split('\n').at(-1)?.trim(), place] as const))(
    'does not compile without %s',
    (_, place) => {
      const others = places.filter((one) => one !== place);
      expect(compiler.failing([...versions, ...models, ...others], [place.file])).toEqual([place.file]);
    },
  );
});
