/** Comparison operators; negation is a separate filter. */
export type Comparator = 'equals' | 'contains' | 'startsWith' | 'endsWith';

/**
 * A parsed filter: every field exists for what it filters, keys of labels and annotations are sanitised, aliases are
 * resolved, and `__unallocated__` has become the empty string.
 */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | {
      readonly kind: 'compare';
      readonly left: FilterOperand;
      readonly comparator: Comparator;
      /** At least one has to match. */
      readonly values: readonly string[];
    };

/** The left side of a comparison. */
export type FilterOperand =
  /** A stored property; the `assetType` of assets is compared ignoring case. */
  | { readonly kind: 'field'; readonly field: string }
  /** The value of a key; the empty string where it is missing. */
  | { readonly kind: 'label' | 'annotation'; readonly key: string }
  /** The label if it is there, else the annotation, else the empty string. */
  | { readonly kind: 'alias'; readonly key: string }
  /** Some element; an empty list is as the empty string. `contains` means that an element is equal. */
  | { readonly kind: 'services' }
  /** Some key of the map; `contains` means that a key is equal. */
  | { readonly kind: 'labelKeys' | 'annotationKeys' };
