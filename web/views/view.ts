import type { StatusView } from '../../api/contract';
import type { OpeningWindow } from '../opening-window';
import type { UrlState } from '../url-state';

/** The properties of every view. */
export interface ViewProps {
  readonly state: UrlState;
  /**
   * Changes the address, which leaves out empty values. With `replace`, the back button does not return to the address
   * before the change.
   */
  readonly go: (change: UrlState, replace?: boolean) => void;
  readonly status?: StatusView;
  /** The window to show if the address has none. */
  readonly opening: OpeningWindow;
  readonly theme: string;
  readonly onToken: () => void;
  /** Shows a message, which screen readers announce. */
  readonly say: (message: string) => void;
  /** Requests the status again. */
  readonly refresh: () => void;
}

/**
 * Explains why the view opened with another window than the usual one. Empty if it is the usual one or the user chose
 * one.
 */
export function whyOpened(state: UrlState, { why }: OpeningWindow): string[] {
  return state['window'] === undefined && why !== undefined ? [why] : [];
}
