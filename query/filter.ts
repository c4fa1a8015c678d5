/** How a comparison compares; the negated form is a flag of its own. */
export type Comparator = 'equals' | 'contains' | 'startsWith' | 'endsWith';

/**
 * A filter, parsed and checked: every field is known for what it filters, keys of labels and annotations are
 * sanitised, aliases are resolved, and `__unallocated__` has become the empty string.
 */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | {
      readonly kind: 'compare';
      readonly left: FilterOperand;
      readonly comparator: Comparator;
      /** One of them has to match. */
      readonly values: readonly string[];
    };

/** What is compared. */
export type FilterOperand =
  /** A property as it is stored; of assets `assetType` is compared whatever the case. */
  | { readonly kind: 'field'; readonly field: string }
  /** The value of a key; the empty string where it is missing. */
  | { readonly kind: 'label' | 'annotation'; readonly key: string }
  /** The label if it is there, else the annotation, else the empty string. */
  | { readonly kind: 'alias'; readonly key: string }
  /** Some element; an empty list is as the empty string. `contains` means that an element is equal. */
  | { readonly kind: 'services' }
  /** Some key of the map; `contains` means that a key is equal. */
  | { readonly kind: 'labelKeys' | 'annotationKeys' };
