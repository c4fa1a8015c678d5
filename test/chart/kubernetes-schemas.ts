import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** The JSON Schema keywords that are needed to describe the types of the Kubernetes API. */
export interface Schema {
  $ref?: string;
  /** Display name of the type, for error messages. */
  title?: string;
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  minimum?: number;
  maximum?: number;
  items?: Schema;
  required?: string[];
  properties?: Record<string, Schema>;
  propertyNames?: Schema;
  additionalProperties?: Schema | boolean;
}

const packages = path.join(__dirname, '../../node_modules');
const homes = ['kubernetes-models', '@kubernetes-models/prometheus-operator'];

/**
 * JSON schemas of Kubernetes types. They do not allow unknown fields. They are derived from the type declarations of
 * `kubernetes-models`, which are generated from Kubernetes' OpenAPI documents. (The validation of that package is not
 * used, because it accepts unknown fields.) The schema of a type is created when it is first needed.
 */
export class KubernetesSchemas {
  readonly definitions: Record<string, Schema> = {};
  readonly #files = new Map<string, ts.SourceFile>();

  /** Returns the key in `definitions` under which the schema of a kind is stored. Undefined if the kind is unknown. */
  idOf(apiVersion: string, kind: string): string | undefined {
    // Reject names with other characters: they come from manifests, and become part of a file path below.
    if (!/^[a-z0-9./-]+$/.test(apiVersion) || !/^[A-Za-z0-9]+$/.test(kind) || apiVersion.includes('..'))
      return undefined;
    for (const home of homes) {
      const file = path.join(packages, home, apiVersion, `${kind}.d.ts`);
      if (!existsSync(file)) continue;
      const id = this.#define(file, `I${kind}`);
      // There are also files for types that are only part of an object, such as DeploymentSpec. They are not kinds.
      if (this.definitions[id]?.properties?.['kind']?.enum?.[0] === kind) return id;
    }
    return undefined;
  }

  /**
   * Creates the schema of a type that is declared in `file`, unless the schema exists already. Also creates the schemas
   * of all types to which this type refers. Returns the id of the schema.
   */
  #define(file: string, name: string): string {
    const found = this.#declaration(file, name);
    const title = found.name.text.slice(1);
    const id = `${path.relative(packages, file).replace(/\.d\.ts$/, '')}#${title}`.replace(/[^\w.-]/g, '_');
    if (this.definitions[id]) return id;
    const schema: Schema = (this.definitions[id] = {});
    Object.assign(
      schema,
      special[title] ??
        (ts.isTypeAliasDeclaration(found)
          ? this.#schemaOf(found.type, file, title)
          : this.#object(this.#members(found, file), title)),
    );
    return id;
  }

  /** Returns the fields of a type, including those of the types that it extends. */
  #members(
    declaration: ts.InterfaceDeclaration,
    file: string,
  ): { readonly member: ts.TypeElement; readonly file: string }[] {
    const inherited = (declaration.heritageClauses ?? [])
      .flatMap((clause) => [...clause.types])
      .map((type) => type.expression.getText())
      // Skip TypeMeta: its only fields are apiVersion and kind, which the type itself declares more precisely.
      .filter((name) => name !== 'TypeMeta')
      .flatMap((name) => {
        const from = this.#fileOf(file, name);
        const base = this.#declaration(from, name);
        return ts.isInterfaceDeclaration(base) ? this.#members(base, from) : [];
      });
    return [...inherited, ...declaration.members.map((member) => ({ member, file }))];
  }

  #object(members: readonly { member: ts.TypeElement; file: string }[], title: string): Schema {
    // A type without declared fields may contain any fields, for example a free-form part of a custom resource.
    if (members.length === 0) return { type: 'object' };
    const properties: Record<string, Schema> = {};
    const required = [...(alsoRequired[title] ?? [])];
    for (const { member, file } of members) {
      if (!ts.isPropertySignature(member) || member.type === undefined || !ts.isStringLiteral(member.name))
        throw unknownSyntax(member);
      const field = member.name.text;
      properties[field] = withRule(this.#schemaOf(member.type, file, title), title, field);
      if (member.questionToken === undefined) required.push(field);
    }
    return { title, type: 'object', properties, required, additionalProperties: false };
  }

  #schemaOf(type: ts.TypeNode, file: string, title: string): Schema {
    switch (type.kind) {
      case ts.SyntaxKind.StringKeyword:
        return { type: 'string' };
      case ts.SyntaxKind.BooleanKeyword:
        return { type: 'boolean' };
      case ts.SyntaxKind.NumberKeyword:
        // Numbers in the Kubernetes API are integers, except in the schemas of custom resources.
        return { type: title === 'JSONSchemaProps' ? 'number' : 'integer' };
    }
    if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) return { enum: [type.literal.text] };
    if (ts.isUnionTypeNode(type)) {
      const parts = type.types.map((part) => this.#schemaOf(part, file, title));
      if (parts.every((part) => part.enum)) return { enum: parts.flatMap((part) => part.enum ?? []) };
      if (parts.every((part) => typeof part.type === 'string'))
        return { type: parts.map((part) => part.type as string) };
    }
    if (ts.isTypeLiteralNode(type)) {
      const [member] = type.members;
      if (member && ts.isIndexSignatureDeclaration(member))
        return { type: 'object', additionalProperties: this.#schemaOf(member.type, file, title) };
      return this.#object(
        type.members.map((member) => ({ member, file })),
        title,
      );
    }
    if (ts.isTypeReferenceNode(type)) {
      const name = type.typeName.getText();
      const [element] = type.typeArguments ?? [];
      if (name === 'Array' && element) return { type: 'array', items: this.#schemaOf(element, file, title) };
      return { $ref: `#/definitions/${this.#define(this.#fileOf(file, name), name)}` };
    }
    throw unknownSyntax(type);
  }

  /**
   * Finds the declaration of a type in a file. `name` is its short name, or the longer name under which other files
   * import it.
   */
  #declaration(file: string, name: string): ts.InterfaceDeclaration | ts.TypeAliasDeclaration {
    const { statements } = this.#parse(file);
    const long = statements
      .filter(ts.isExportDeclaration)
      .flatMap(({ exportClause }) =>
        exportClause && ts.isNamedExports(exportClause) ? [...exportClause.elements] : [],
      )
      .find((element) => element.name.text === name);
    const wanted = long?.propertyName?.getText() ?? name;
    const found = statements.find(
      (statement): statement is ts.InterfaceDeclaration | ts.TypeAliasDeclaration =>
        (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) &&
        statement.name.text === wanted,
    );
    if (!found) throw new Error(`${file} has no type ${name}`);
    return found;
  }

  /** Returns the file from which `file` imports a type, or `file` itself if it does not import that type. */
  #fileOf(file: string, name: string): string {
    const from = this.#parse(file)
      .statements.filter(ts.isImportDeclaration)
      .find(({ importClause }) => {
        const names = importClause?.namedBindings;
        return (
          names && ts.isNamedImports(names) && names.elements.some((element) => element.name.text === name)
        );
      });
    if (!from) return file;
    const target = (from.moduleSpecifier as ts.StringLiteral).text;
    const folder = target.startsWith('.') ? path.dirname(file) : packages;
    return path.join(folder, `${target.replace(/\.js$/, '')}.d.ts`);
  }

  #parse(file: string): ts.SourceFile {
    const parsed =
      this.#files.get(file) ??
      ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    this.#files.set(file, parsed);
    return parsed;
  }
}

/** Schemas of types that accept only certain strings or numbers. Their type declarations do not say which. */
const special: Readonly<Record<string, Schema>> = {
  Quantity: { title: 'Quantity', type: ['string', 'number'], format: 'quantity' },
  IntOrString: { title: 'IntOrString', type: ['string', 'integer'] },
};

/** Fields that the OpenAPI documents declare as optional, although Kubernetes requires them. */
const alsoRequired: Readonly<Record<string, readonly string[]>> = {
  Container: ['image'],
  JobTemplateSpec: ['spec'],
  PodTemplateSpec: ['spec'],
};

const name = (format: string): Schema => ({ type: 'string', format });
const labels: Schema = {
  type: 'object',
  propertyNames: { format: 'qualified-name' },
  additionalProperties: { type: 'string', format: 'label-value' },
};
const port: Schema = { type: 'integer', minimum: 1, maximum: 65_535 };
const keys: Schema = { propertyNames: { format: 'file-key' } };

/**
 * Rules that Kubernetes enforces in addition to its types. Without these checks, a violation would only be noticed when
 * the release is installed.
 */
const rules: Readonly<Record<string, Schema>> = {
  'ObjectMeta.namespace': name('dns-label'),
  'ObjectMeta.labels': labels,
  'ObjectMeta.annotations': { propertyNames: { format: 'qualified-name' } },
  'LabelSelector.matchLabels': labels,
  'ServiceSpec.selector': labels,
  'PodSpec.nodeSelector': labels,
  'PodSpec.serviceAccountName': name('dns-subdomain'),
  'Container.name': name('dns-label'),
  'ContainerPort.name': name('port-name'),
  'ContainerPort.containerPort': port,
  'EnvVar.name': name('env-name'),
  'Volume.name': name('dns-label'),
  'VolumeMount.name': name('dns-label'),
  'ServicePort.name': name('dns-label'),
  'ServicePort.port': port,
  'ConfigMap.data': keys,
  'ConfigMap.binaryData': { ...keys, additionalProperties: name('base64') },
  'Secret.data': { ...keys, additionalProperties: name('base64') },
  'Secret.stringData': keys,
};

function withRule(schema: Schema, title: string, field: string): Schema {
  return { ...schema, ...rules[`${title}.${field}`] };
}

function unknownSyntax(node: ts.Node): Error {
  return new Error(`a declaration of kubernetes-models has an unknown form: ${node.getText()}`);
}
