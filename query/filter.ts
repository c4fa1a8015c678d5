/** Comparison operators. There are no negated ones: a filter of the kind `not` negates a comparison. */
export type Comparator = 'equals' | 'contains' | 'startsWith' | 'endsWith';

/**
 * A parsed filter. It uses only fields that the filtered records have, keys of labels and annotations are sanitised,
 * aliases are resolved, and `__unallocated__` is replaced by the empty string.
 */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | {
      readonly kind: 'compare';
      readonly left: FilterOperand;
      readonly comparator: Comparator;
      /** The comparison is true if at least one of the values matches. */
      readonly values: readonly string[];
    };

/** The left side of a comparison. */
export type FilterOperand =
  /** A stored property. Case matters, except in comparisons of `assetType`. */
  | { readonly kind: 'field'; readonly field: string }
  /** The value of a label or annotation, or the empty string if the key is missing. */
  | { readonly kind: 'label' | 'annotation'; readonly key: string }
  /** The label with this key, or else the annotation, or else the empty string. */
  | { readonly kind: 'alias'; readonly key: string }
  /**
   * The services of an allocation, at least one of which has to match. Without services, the empty string is compared.
   * `contains` requires that a whole name is equal, not only a part.
   */
  | { readonly kind: 'services' }
  /**
   * The keys of the labels or annotations, at least one of which has to match. `contains` requires that a whole key is
   * equal, not only a part.
   */
  | { readonly kind: 'labelKeys' | 'annotationKeys' };
