import type { StatusView } from '../../api/contract';
import type { OpeningWindow } from '../opening-window';
import type { UrlState } from '../url-state';

/** What every view is given. */
export interface ViewProps {
  readonly state: UrlState;
  /** Changes the address; what is empty goes. Replacing leaves no step for the back button. */
  readonly go: (change: UrlState, replace?: boolean) => void;
  readonly status?: StatusView;
  /** Where the address names no window. */
  readonly opening: OpeningWindow;
  readonly theme: string;
  readonly onToken: () => void;
  /** Says what was done, also to who hears the page. */
  readonly say: (message: string) => void;
  /** Asks for the state of the federation again. */
  readonly refresh: () => void;
}

/** Why a view opened on another window than the usual one, as long as nobody chose one. */
export function whyOpened(state: UrlState, { why }: OpeningWindow): string[] {
  return state['window'] === undefined && why !== undefined ? [why] : [];
}
