/** Comparison operators; negation is a separate filter. */
export type Comparator = 'equals' | 'contains' | 'startsWith' | 'endsWith';

/**
 * A parsed filter. All of its fields exist in what it filters, keys of labels and annotations are sanitised, aliases
 * are resolved, and `__unallocated__` is replaced by the empty string.
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
  /** A stored property. The field `assetType` is compared ignoring case. */
  | { readonly kind: 'field'; readonly field: string }
  /** The value of a label or annotation, or the empty string if the key is missing. */
  | { readonly kind: 'label' | 'annotation'; readonly key: string }
  /** The label with this key, or else the annotation, or else the empty string. */
  | { readonly kind: 'alias'; readonly key: string }
  /**
   * Some service has to match. An empty list is treated as the empty string. `contains` means that a service is equal.
   */
  | { readonly kind: 'services' }
  /** Some key of the map has to match. `contains` means that a key is equal. */
  | { readonly kind: 'labelKeys' | 'annotationKeys' };
