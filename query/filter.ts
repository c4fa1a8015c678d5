/** Comparison operators. None of them is negated: a negated comparison is a filter of the kind `not`. */
export type Comparator = 'equals' | 'contains' | 'startsWith' | 'endsWith';

/**
 * A parsed filter. It contains only fields that the filtered records have. Keys of labels and annotations are
 * sanitised. Aliases are replaced by the keys they refer to. The value `__unallocated__` is replaced by the empty
 * string.
 */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | {
      readonly kind: 'compare';
      readonly left: FilterOperand;
      readonly comparator: Comparator;
      /** The comparison is true if it is true for at least one of these values. */
      readonly values: readonly string[];
    };

/** The left side of a comparison: what is compared with the values. */
export type FilterOperand =
  /** A stored property. Comparisons are case-sensitive, except those of `assetType`. */
  | { readonly kind: 'field'; readonly field: string }
  /** The value of a label or annotation, or the empty string if the key is missing. */
  | { readonly kind: 'label' | 'annotation'; readonly key: string }
  /** The value of the label with this key, or else of the annotation with this key, or else the empty string. */
  | { readonly kind: 'alias'; readonly key: string }
  /**
   * The services of an allocation. The comparison is true if at least one service matches. Without services, only the
   * empty string matches. `contains` compares whole names, not parts of names.
   */
  | { readonly kind: 'services' }
  /**
   * The keys of all labels or annotations. The comparison is true if at least one key matches. `contains` compares
   * whole keys, not parts of keys.
   */
  | { readonly kind: 'labelKeys' | 'annotationKeys' };
