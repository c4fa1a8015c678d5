/** A span of time in unix seconds, `[start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
