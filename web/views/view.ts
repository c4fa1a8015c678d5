import type { StatusView } from '../../api/contract';
import type { OpeningWindow } from '../opening-window';
import type { UrlState } from '../url-state';

/** The properties of every view. */
export interface ViewProps {
  readonly state: UrlState;
  /**
   * Changes the address, in which empty values are omitted. With `replace`, the change adds no step for the back
   * button.
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

/** Explains why the view opened on another window than the usual one. Returns an empty list once a window is chosen. */
export function whyOpened(state: UrlState, { why }: OpeningWindow): string[] {
  return state['window'] === undefined && why !== undefined ? [why] : [];
}
