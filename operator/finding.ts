/** Something in the bucket that is damaged, missing, or different from what the generation says. */
export interface Finding {
  /** What is affected: a WindowId, or the name of a document, such as `published` for `published.json`. */
  readonly about: string;
  readonly key: string;
  readonly detail: string;
  /** How to repair what was found. */
  readonly todo: string;
}
