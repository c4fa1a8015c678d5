import type { Comparator, Filter, FilterOperand } from '../../../query/filter';

/** The properties of an allocation or asset that filters can compare. */
export interface Filtered {
  /** Returns the value of a property. `name` is the name that the property has in filters. */
  field(name: string): string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly services: readonly string[];
}

/** Returns whether an allocation or asset passes a filter. If there is no filter, it passes. */
export function passes(filter: Filter | undefined, subject: Filtered): boolean {
  if (filter === undefined) return true;
  switch (filter.kind) {
    case 'and':
      return filter.parts.every((part) => passes(part, subject));
    case 'or':
      return filter.parts.some((part) => passes(part, subject));
    case 'not':
      return !passes(filter.part, subject);
    case 'compare':
      return filter.values.some((value) => comparesWith(filter.left, filter.comparator, value, subject));
  }
}

function comparesWith(
  left: FilterOperand,
  comparator: Comparator,
  value: string,
  subject: Filtered,
): boolean {
  switch (left.kind) {
    case 'field':
      return left.field === 'assetType'
        ? compareTexts(subject.field(left.field).toLowerCase(), comparator, value.toLowerCase())
        : compareTexts(subject.field(left.field), comparator, value);
    case 'label':
      return compareTexts(subject.labels.get(left.key) ?? '', comparator, value);
    case 'annotation':
      return compareTexts(subject.annotations.get(left.key) ?? '', comparator, value);
    case 'alias':
      return compareTexts(aliasOf(subject, left.key) ?? '', comparator, value);
    case 'services':
      return compareSome(subject.services.length === 0 ? [''] : subject.services, comparator, value);
    case 'labelKeys':
      return compareSome([...subject.labels.keys()], comparator, value);
    case 'annotationKeys':
      return compareSome([...subject.annotations.keys()], comparator, value);
  }
}

/** Returns the value of the label with this key, or of the annotation if there is no such label. */
export function aliasOf(of: Pick<Filtered, 'labels' | 'annotations'>, key: string): string | undefined {
  return of.labels.get(key) ?? of.annotations.get(key);
}

function compareSome(elements: readonly string[], comparator: Comparator, value: string): boolean {
  const each = comparator === 'contains' ? 'equals' : comparator;
  return elements.some((element) => compareTexts(element, each, value));
}

function compareTexts(text: string, comparator: Comparator, value: string): boolean {
  switch (comparator) {
    case 'equals':
      return text === value;
    case 'contains':
      return text.includes(value);
    case 'startsWith':
      return text.startsWith(value);
    case 'endsWith':
      return text.endsWith(value);
  }
}
