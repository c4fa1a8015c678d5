import fc from 'fast-check';
import { isFederationError } from '../../errors/federation-error';
import { defaultAliases } from '../../query/aliases';
import type { Comparator, Filter, FilterOperand } from '../../query/filter';
import { type Filtered, parseFilter } from '../../query/parse-filter';
import { propertyRuns } from '../etl/run-counts';

const parse = (text: string | undefined, of: Filtered = 'allocations', aliases = defaultAliases) =>
  parseFilter(text, of, aliases);
const field = (name: string): FilterOperand => ({ kind: 'field', field: name });
const compare = (left: FilterOperand, comparator: Comparator, ...values: string[]): Filter => ({
  kind: 'compare',
  left,
  comparator,
  values,
});
const not = (part: Filter): Filter => ({ kind: 'not', part });
const namespace = (value: string) => compare(field('namespace'), 'equals', value);
const both = (kind: 'and' | 'or', ...parts: Filter[]): Filter => ({ kind, parts });

function refusal(text: string, of: Filtered = 'allocations'): string {
  try {
    parse(text, of);
  } catch (error) {
    if (isFederationError(error, 'QUERY_INVALID')) {
      expect(error.subject).toEqual({ parameter: 'filter' });
      return error.message;
    }
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

const comparators: readonly (readonly [string, Comparator])[] = [
  [':', 'equals'],
  ['~:', 'contains'],
  ['<~:', 'startsWith'],
  ['~>:', 'endsWith'],
];
const plainFields = {
  allocations: 'cluster node namespace controllerName controllerKind container pod provider'.split(' '),
  assets: 'name assetType category cluster project provider providerID account service'.split(' '),
};

describe('a filter', () => {
  it.each([undefined, '', '   ', '\t\n'])('matches everything if empty: %j', (text) => {
    expect(parse(text)).toBeUndefined();
  });

  it.each(comparators)('compares by %s, and its negation', (sign, comparator) => {
    const wanted = compare(field('namespace'), comparator, 'a', 'b');
    expect(parse(`namespace${sign}"a","b"`)).toEqual(wanted);
    expect(parse(`namespace!${sign}"a","b"`)).toEqual(not(wanted));
  });

  it.each(plainFields.allocations)('knows the field %s of allocations', (name) => {
    expect(parse(`${name}:"x"`)).toEqual(compare(field(name), 'equals', 'x'));
  });

  it.each(plainFields.assets)('knows the field %s of assets', (name) => {
    expect(parse(`${name}:"x"`, 'assets')).toEqual(compare(field(name), 'equals', 'x'));
  });

  it.each([
    ['controller:"x"', compare(field('controllerName'), 'equals', 'x')],
    ['services<~:"x"', compare({ kind: 'services' }, 'startsWith', 'x')],
    ['label:"app"', compare({ kind: 'labelKeys' }, 'equals', 'app')],
    ['annotation~:"app"', compare({ kind: 'annotationKeys' }, 'contains', 'app')],
    ['label[app]:"x"', compare({ kind: 'label', key: 'app' }, 'equals', 'x')],
    [
      'label[ app.kubernetes.io/name ]:"x"',
      compare({ kind: 'label', key: 'app_kubernetes_io_name' }, 'equals', 'x'),
    ],
    ['annotation[a-b]!:"x"', not(compare({ kind: 'annotation', key: 'a_b' }, 'equals', 'x'))],
    ['environment:"prod"', compare({ kind: 'alias', key: 'env' }, 'equals', 'prod')],
    ['team:"__unallocated__"', compare({ kind: 'alias', key: 'team' }, 'equals', '')],
    ['namespace:"__unallocated__","a"', compare(field('namespace'), 'equals', '', 'a')],
    ['namespace:""', namespace('')],
    ['namespace:kube-system', namespace('kube-system')],
    ['namespace: kube-system ', namespace('kube-system')],
    ['cluster:"a",b , c', compare(field('cluster'), 'equals', 'a', 'b', 'c')],
    ['label[app]!~:web', not(compare({ kind: 'label', key: 'app' }, 'contains', 'web'))],
    ['pod:image:1.2/x[y]!~', compare(field('pod'), 'equals', 'image:1.2/x[y]!~')],
    ['team:__unallocated__', compare({ kind: 'alias', key: 'team' }, 'equals', '')],
    ['namespace:__unallocated__,a', compare(field('namespace'), 'equals', '', 'a')],
    ['label:app.io/x', compare({ kind: 'labelKeys' }, 'equals', 'app_io_x')],
    ['namespace:" a+b|(c),: "', namespace(' a+b|(c),: ')],
    ['namespace:"ünï\u0007\u{1F389}"', namespace('ünï\u0007\u{1F389}')],
    [' label [app] <~: "a" , "b" ', compare({ kind: 'label', key: 'app' }, 'startsWith', 'a', 'b')],
  ])('%s', (text, wanted) => {
    expect(parse(text)).toEqual(wanted);
  });

  it('of assets treats labels, aliases and services differently', () => {
    expect(parse('label[a]:"x"', 'assets')).toEqual(compare({ kind: 'label', key: 'a' }, 'equals', 'x'));
    expect(parse('product:"x"', 'assets')).toEqual(compare({ kind: 'alias', key: 'app' }, 'equals', 'x'));
    for (const text of ['services:"x"', 'annotation[a]:"x"', 'namespace:"x"', 'controller:"x"']) {
      expect(refusal(text, 'assets')).toContain('at character 1');
    }
  });

  it('of an alias with several keys matches any of the keys, or none of them when negated', () => {
    const aliases = { ...defaultAliases, team: 'team,squad' };
    const any = both(
      'or',
      compare({ kind: 'alias', key: 'team' }, 'equals', 'x'),
      compare({ kind: 'alias', key: 'squad' }, 'equals', 'x'),
    );
    expect(parse('team:"x"', 'allocations', aliases)).toEqual(any);
    expect(parse('team!:"x"', 'allocations', aliases)).toEqual(not(any));
  });

  it('of keys compares them in their stored form', () => {
    const key = compare({ kind: 'labelKeys' }, 'equals', 'app_kubernetes_io_name');
    expect(parse('label:"app.kubernetes.io/name"')).toEqual(key);
    const prefix = compare({ kind: 'annotationKeys' }, 'startsWith', 'app_io_');
    expect(parse('annotation!<~:"app.io/"')).toEqual(not(prefix));
    expect(parse('label[\u{1F389}]:"x"')).toEqual(compare({ kind: 'label', key: '_' }, 'equals', 'x'));
  });

  it('that is invalid is reported with its position in characters, not UTF-16 units', () => {
    expect(refusal('namespace:"\u{1F389}" ?')).toContain('at character 15');
  });

  const [a, b, c] = ['a', 'b', 'c'].map(namespace) as [Filter, Filter, Filter];
  it.each([
    ['namespace:"a"+namespace:"b"+namespace:"c"', both('and', a, b, c)],
    ['namespace:"a" | namespace:"b"|namespace:"c"', both('or', a, b, c)],
    ['namespace:"a" namespace:"b"', both('and', a, b)],
    ['namespace:"a"   namespace:"b"\tnamespace:"c"', both('and', a, b, c)],
    ['(namespace:"a"|namespace:"b")+namespace:"c"', both('and', both('or', a, b), c)],
    ['(namespace:"a"|namespace:"b") namespace:"c"', both('and', both('or', a, b), c)],
    ['namespace:"a"|(namespace:"b" namespace:"c")', both('or', a, both('and', b, c))],
    ['((namespace:"a"))', a],
    [' ( namespace : "a" ) ', a],
    ['namespace:a+namespace:b', both('and', a, b)],
    ['namespace:a namespace:b', both('and', a, b)],
    ['(namespace:a|namespace:"b")+namespace:c', both('and', both('or', a, b), c)],
  ])('%s', (text, wanted) => {
    expect(parse(text)).toEqual(wanted);
  });

  it.each([
    ['namespace', 10, 'a comparison'],
    ['namespace:', 11, 'a value'],
    ['namespace:  ', 13, 'a value'],
    ['namespace:+pod:x', 11, 'a value'],
    ['namespace:|', 11, 'a value'],
    ['namespace:)', 11, 'a value'],
    ['namespace:,a', 11, 'a value'],
    ['namespace:a,', 13, 'a value'],
    ['namespace:a,,b', 13, 'a value'],
    ['namespace:"a', 11, 'a value that ends with a double quote'],
    ['namespace:"a",', 15, 'a value'],
    ['namespace:a"b', 12, 'double quotes around a value, none inside it'],
    ['namespace:a"', 12, 'double quotes around a value, none inside it'],
    ['namespace:"a"b', 14, '+ or |'],
    ['namespace: pod:x', 12, 'double quotes around a value with a colon'],
    ['namespace:a, pod:"x"', 14, 'double quotes around a value with a colon'],
    ['namespace:kube system', 16, 'a field'],
    ['namespace:a(b)', 12, '+ or |'],
    ['namespace="a"', 10, 'a comparison'],
    ['namespace!"a"', 10, 'a comparison'],
    ['Namespace:"a"', 1, 'a field'],
    ['foo:"a"', 1, 'a field'],
    ['"a"', 1, 'a field'],
    ['+', 1, 'a field'],
    ['namespace:"a"+', 15, 'a field'],
    ['namespace:"a"++namespace:"b"', 15, 'a field'],
    ['namespace:"a"namespace:"b"', 14, '+ or |'],
    ['namespace:"a"(namespace:"b")', 14, '+ or |'],
    ['namespace:"a")', 14, '+, | or the end'],
    ['(namespace:"a"', 15, ')'],
    ['()', 2, 'a field'],
    ['label[app:"a"', 6, ']'],
    ['label[]:"a"', 6, 'a key'],
    ['namespace[x]:"a"', 10, 'a comparison'],
    ['namespace:"a"+pod:"b"|pod:"c"', 22, '+: + and | in one place need parentheses'],
    ['namespace:"a" pod:"b" | pod:"c"', 23, '+: + and | in one place need parentheses'],
    ['namespace:"a"|pod:"b" pod:"c"', 23, '|: + and | in one place need parentheses'],
    ['namespace\u0000:"a"', 10, 'a comparison'],
  ])('that is invalid is reported with the position: %j', (text, character, wanted) => {
    const message = refusal(text);
    expect(message).toMatch(/^Invalid 'filter' parameter: /);
    expect(message).toContain(`at character ${character}: expected ${wanted}`);
  });

  it('may have 64 levels of parentheses', () => {
    const deep = (levels: number) => `${'('.repeat(levels)}namespace:"a"${')'.repeat(levels)}`;
    expect(parse(deep(64))).toEqual(a);
    expect(refusal(deep(65))).toContain('at most 64 parentheses');
    expect(refusal('('.repeat(16_000))).toContain('at most 64 parentheses');
  });

  it('may be 16 KiB long', () => {
    const long = (length: number) => `namespace:"${'x'.repeat(length - 12)}"`;
    expect(parse(long(16_384))).toEqual(namespace('x'.repeat(16_372)));
    expect(refusal(long(16_385))).toContain('longer than 16384');
    expect(refusal(long(1_000_000)).length).toBeLessThan(300);
    expect(refusal('?'.repeat(16_000)).length).toBeLessThan(400);
  });

  it('of many comparisons is parsed to a flat tree', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `pod:"${index}"`).join('|');
    expect(parse(many)).toMatchObject({ kind: 'or', parts: { length: 1_000 } });
  });
});

/** Formats a filter as a person might write it. */
function printed(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.parts
        .map((part) => (part.kind === 'and' || part.kind === 'or' ? `(${printed(part)})` : printed(part)))
        .join(filter.kind === 'and' ? '+' : ' | ');
    case 'not':
      if (filter.part.kind !== 'compare') throw new Error('Only comparisons can be negated.');
      return printedComparison(filter.part, '!');
    case 'compare':
      return printedComparison(filter, '');
  }
}

function printedComparison(filter: Extract<Filter, { kind: 'compare' }>, negation: string): string {
  const sign = comparators.find(([, comparator]) => comparator === filter.comparator)?.[0];
  return `${printedOperand(filter.left)}${negation}${sign}${filter.values.map(printedValue).join(', ')}`;
}

/** Formats a value. Adds quotes only if the value needs them. */
function printedValue(value: string): string {
  return /^[^\s,+|()":]+$/u.test(value) && value !== '__unallocated__' ? value : `"${value}"`;
}

function printedOperand(operand: FilterOperand): string {
  switch (operand.kind) {
    case 'field':
      return operand.field;
    case 'label':
    case 'annotation':
      return `${operand.kind}[${operand.key}]`;
    case 'alias':
      return Object.entries(defaultAliases).find(([, key]) => key === operand.key)?.[0] ?? '';
    case 'services':
      return 'services';
    case 'labelKeys':
      return 'label';
    case 'annotationKeys':
      return 'annotation';
  }
}

function filters(of: Filtered): fc.Arbitrary<Filter> {
  const key = fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/);
  const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('"', ''));
  const comparator = fc.constantFrom(...comparators.map(([, name]) => name));
  const values = (value: fc.Arbitrary<string>) => fc.array(value, { minLength: 1, maxLength: 3 });
  const maps = of === 'allocations' ? (['label', 'annotation'] as const) : (['label'] as const);
  const operand: fc.Arbitrary<FilterOperand> = fc.oneof(
    fc.constantFrom(...plainFields[of].map(field)),
    fc.record({ kind: fc.constantFrom(...maps), key }),
    fc
      .constantFrom(...Object.values(defaultAliases))
      .map((alias) => ({ kind: 'alias' as const, key: alias })),
    ...(of === 'allocations' ? [fc.constant({ kind: 'services' as const })] : []),
  );
  const keys = fc.constantFrom(...maps).map((map) => ({ kind: `${map}Keys` as const }));
  const kind = fc.constant('compare' as const);
  const comparison: fc.Arbitrary<Filter> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind, left: operand, comparator, values: values(text) }) },
    { weight: 1, arbitrary: fc.record({ kind, left: keys, comparator, values: values(key) }) },
  );
  return fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      comparison,
      comparison.map(not),
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        parts: fc.array(tie('filter'), { minLength: 2, maxLength: 4 }),
      }),
    ),
  })).filter;
}

describe.each(['allocations', 'assets'] as const)('any filter of %s', (of) => {
  it('is unchanged by printing and parsing', () => {
    fc.assert(
      fc.property(filters(of), (filter) => {
        const text = printed(filter);
        fc.pre(text.length <= 16_384);
        expect(parse(text, of)).toEqual(filter);
      }),
      propertyRuns(300, 10_000),
    );
  });

  it('with a character added or removed is parsed or refused', () => {
    const noise = fc.constantFrom(
      '',
      '(',
      ')',
      '+',
      '|',
      '"',
      ',',
      ':',
      '!',
      '~',
      '[',
      ']',
      ' ',
      '\u0000',
      '\ud800',
    );
    fc.assert(
      fc.property(filters(of), fc.nat(), noise, fc.nat(3), (filter, place, added, lost) => {
        const text = printed(filter);
        const at = place % (text.length + 1);
        parsedOrRefused(text.slice(0, at) + added + text.slice(at + lost), of);
      }),
      propertyRuns(500, 20_000),
    );
  });

  it('of any text is parsed or refused', () => {
    const piece = fc.constantFrom(
      '(',
      ')',
      '+',
      '|',
      '"',
      '"x"',
      ',',
      ':',
      '!',
      '~',
      '<~:',
      '[',
      ']',
      ' ',
      'label',
      'team',
      'cluster',
    );
    const noise = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(noise, (text) => parsedOrRefused(text, of)),
      propertyRuns(500, 20_000),
    );
  });
});

function parsedOrRefused(text: string, of: Filtered): void {
  try {
    parse(text, of);
  } catch (error) {
    if (!isFederationError(error, 'QUERY_INVALID')) throw error;
  }
}
