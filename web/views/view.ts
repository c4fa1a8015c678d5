import type { StatusView } from '../../api/contract';
import type { OpeningWindow } from '../opening-window';
import type { UrlState } from '../url-state';

/** The properties of every view. */
export interface ViewProps {
  readonly state: UrlState;
  /**
   * Navigates to the URL that represents the given state. Empty values are omitted. If `replace` is true, the new URL
   * replaces the current entry of the browser's history, so that the back button skips the current URL.
   */
  readonly go: (change: UrlState, replace?: boolean) => void;
  readonly status?: StatusView;
  /** The window that is shown if the URL contains none. */
  readonly opening: OpeningWindow;
  readonly theme: string;
  readonly onToken: () => void;
  /** Shows a message to the user. Screen readers announce it. */
  readonly say: (message: string) => void;
  /** Requests `/api/status` again. */
  readonly refresh: () => void;
}

/**
 * Returns a list with the reason why the view opened with an unusual window. The list is empty if the window is the
 * usual one or the user chose it.
 */
export function whyOpened(state: UrlState, { why }: OpeningWindow): string[] {
  return state['window'] === undefined && why !== undefined ? [why] : [];
}
