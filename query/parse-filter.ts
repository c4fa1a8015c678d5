import { type Aliases, aliasKeys } from './aliases';
import type { Comparator, Filter, FilterOperand } from './filter';
import { invalid } from './invalid';
import { sanitizeKey } from './sanitize';
import { unallocated } from './sql';

/** Names of the stored fields that filters can compare. */
const fields = {
  allocations: [
    'cluster',
    'node',
    'namespace',
    'controllerName',
    'controllerKind',
    'container',
    'pod',
    'provider',
  ],
  assets: [
    'name',
    'assetType',
    'category',
    'cluster',
    'project',
    'provider',
    'providerID',
    'account',
    'service',
  ],
} as const;
export type Filtered = keyof typeof fields;

/**
 * What the left side of a comparison can be, in addition to the names in `fields`. `renamed` contains alternative names
 * of fields.
 */
const operandsOf: Readonly<Record<Filtered, Operands>> = {
  allocations: {
    keyed: ['label', 'annotation'],
    services: true,
    renamed: new Map([['controller', 'controllerName']]),
  },
  assets: { keyed: ['label'], services: false, renamed: new Map() },
};

interface Operands {
  /** Operands with a key in brackets, such as `label[app]`. */
  readonly keyed: readonly ('label' | 'annotation')[];
  readonly services: boolean;
  readonly renamed: ReadonlyMap<string, string>;
}

const longest = 16_384;
const deepest = 64;

/**
 * The operators of the filter language. Each entry contains an operator, its comparator, and whether the comparison is
 * negated. Longer operators come first, because some of them contain a shorter one.
 */
const comparators: readonly (readonly [string, Comparator, boolean])[] = [
  ['!<~:', 'startsWith', true],
  ['!~>:', 'endsWith', true],
  ['<~:', 'startsWith', false],
  ['~>:', 'endsWith', false],
  ['!~:', 'contains', true],
  ['~:', 'contains', false],
  ['!:', 'equals', true],
  [':', 'equals', false],
];

/**
 * Parses a filter of Kubecost's second filter language, such as `namespace:"a",b + label[app]!:"x y"`. Returns
 * undefined for an empty filter, which matches everything. Throws QUERY_INVALID with the position of the first
 * unexpected character.
 */
export function parseFilter(text: string | undefined, of: Filtered, aliases: Aliases): Filter | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  if (text.length > longest) throw invalid('filter', text, `is longer than ${longest} characters.`);
  return new Parser(text, of, aliases).parse();
}

class Parser {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly of: Filtered,
    private readonly aliases: Aliases,
  ) {}

  parse(): Filter {
    const filter = this.filter(0);
    if (this.at < this.text.length) throw this.expected('+, | or the end');
    return filter;
  }

  private filter(depth: number): Filter {
    if (depth > deepest) throw this.expected(`at most ${deepest} parentheses in one another`);
    const parts = [this.element(depth)];
    let operator: '+' | '|' | undefined;
    for (;;) {
      const spaced = this.skipSpace();
      const next = this.text[this.at];
      if (next === undefined || next === ')') break;
      // If a `+` is not escaped in a URL, it arrives as a space. So treat a space between two parts as a `+`.
      const found = next === '+' || next === '|' ? next : spaced ? '+' : undefined;
      if (found === undefined) throw this.expected('+ or |');
      if (operator !== undefined && found !== operator) {
        throw this.expected(`${operator}: + and | in one place need parentheses`);
      }
      operator = found;
      if (next === found) this.at++;
      parts.push(this.element(depth));
    }
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    return { kind: operator === '|' ? 'or' : 'and', parts };
  }

  private element(depth: number): Filter {
    this.skipSpace();
    if (this.text[this.at] !== '(') return this.comparison();
    this.at++;
    const inner = this.filter(depth + 1);
    this.skipSpace();
    if (this.text[this.at] !== ')') throw this.expected(')');
    this.at++;
    return inner;
  }

  private comparison(): Filter {
    const operands = this.operands();
    this.skipSpace();
    const comparator = comparators.find(([sign]) => this.text.startsWith(sign, this.at));
    if (comparator === undefined) throw this.expected('a comparison such as : or !~:');
    const [sign, kind, negated] = comparator;
    this.at += sign.length;
    const values = [this.value()];
    for (;;) {
      const before = this.at;
      this.skipSpace();
      if (this.text[this.at] !== ',') {
        this.at = before;
        break;
      }
      this.at++;
      values.push(this.value());
    }
    const compared = operands.map((left): Filter => ({
      kind: 'compare',
      left,
      comparator: kind,
      values: valuesFor(left, values),
    }));
    const [only] = compared;
    const any: Filter = compared.length === 1 && only !== undefined ? only : { kind: 'or', parts: compared };
    return negated ? { kind: 'not', part: any } : any;
  }

  /** Parses the left side of a comparison. If it is an alias with several keys, returns one operand per key. */
  private operands(): FilterOperand[] {
    const start = this.at;
    const field = /[A-Za-z]+/y;
    field.lastIndex = this.at;
    const word = field.exec(this.text)?.[0];
    if (word === undefined) throw this.expected('a field');
    this.at += word.length;
    const { keyed, services, renamed } = operandsOf[this.of];
    const map = keyed.find((one) => one === word);
    if (map !== undefined) {
      const key = this.key();
      return [key === undefined ? { kind: `${map}Keys` } : { kind: map, key }];
    }
    if (services && word === 'services') return [{ kind: 'services' }];
    const aliased = aliasKeys(word, this.aliases);
    if (aliased !== undefined) return aliased.map((key) => ({ kind: 'alias', key }));
    const known: readonly string[] = fields[this.of];
    const name = renamed.get(word) ?? word;
    if (known.includes(name)) return [{ kind: 'field', field: name }];
    this.at = start;
    throw this.expected(`a field (${[...known, 'label[KEY]'].join(', ')})`);
  }

  private key(): string | undefined {
    const before = this.at;
    this.skipSpace();
    if (this.text[this.at] !== '[') {
      this.at = before;
      return undefined;
    }
    const end = this.text.indexOf(']', this.at);
    if (end < 0) throw this.expected(']');
    const key = this.text.slice(this.at + 1, end).trim();
    if (key === '') throw this.expected('a key');
    this.at = end + 1;
    return sanitizeKey(key);
  }

  private value(): string {
    const spaced = this.skipSpace();
    const value = this.text[this.at] === '"' ? this.quoted() : this.bare(spaced);
    return value === unallocated ? '' : value;
  }

  private quoted(): string {
    const end = this.text.indexOf('"', this.at + 1);
    if (end < 0) throw this.expected('a value that ends with a double quote');
    const value = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return value;
  }

  private bare(spaced: boolean): string {
    const pattern = /[^\s,+|()]+/y;
    pattern.lastIndex = this.at;
    const value = pattern.exec(this.text)?.[0];
    if (value === undefined) throw this.expected('a value');
    // If the `+` in `namespace:+pod:x` arrives as a space, `pod:x` looks like the value of `namespace`. Reject such a
    // value.
    if (spaced && value.includes(':')) throw this.expected('double quotes around a value with a colon');
    const quote = value.indexOf('"');
    if (quote >= 0) {
      this.at += quote;
      throw this.expected('double quotes around a value, none inside it');
    }
    this.at += value.length;
    return value;
  }

  private skipSpace(): boolean {
    const before = this.at;
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
    return this.at > before;
  }

  private expected(what: string) {
    const found =
      this.at >= this.text.length ? 'its end' : JSON.stringify(this.text.slice(this.at, this.at + 20));
    const character = Array.from(this.text.slice(0, this.at)).length + 1;
    return invalid(
      'filter',
      this.text,
      `cannot be read at character ${character}: expected ${what}, found ${found}.`,
    );
  }
}

/**
 * Returns the values to compare with. If the left side is `label` or `annotation` without a key in brackets, the values
 * are keys. They are then sanitised, because the stored keys are sanitised.
 */
function valuesFor(left: FilterOperand, values: readonly string[]): readonly string[] {
  return left.kind === 'labelKeys' || left.kind === 'annotationKeys' ? values.map(sanitizeKey) : values;
}
