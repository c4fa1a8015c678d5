/** A time span in unix seconds. It includes `start`, but not `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
