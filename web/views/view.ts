import type { StatusView } from '../../api/contract';
import type { UrlState } from '../url-state';

/** What every view is given. */
export interface ViewProps {
  readonly state: UrlState;
  /** Changes the address; what is empty goes. Replacing leaves no step for the back button. */
  readonly go: (change: UrlState, replace?: boolean) => void;
  readonly status?: StatusView;
  readonly theme: string;
  readonly onToken: () => void;
  /** Says what was done, also to who hears the page. */
  readonly say: (message: string) => void;
  /** Asks for the state of the federation again. */
  readonly refresh: () => void;
}
