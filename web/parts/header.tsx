import { themes } from '../theme';
import type { UrlState } from '../url-state';
import { Link } from './link';

interface HeaderProps {
  /** Name and title of each view. */
  readonly views: readonly (readonly [name: string, title: string])[];
  readonly current: string;
  readonly cluster?: string;
  readonly state: UrlState;
  readonly go: (change: UrlState) => void;
  readonly hasToken: boolean;
  readonly onToken: () => void;
  readonly theme: string;
  readonly onTheme: (theme: string) => void;
}

/**
 * Shows the bar at the top of the page: links to the views, a button for the operator token, and a choice of themes.
 */
export function Header({
  views,
  current,
  cluster,
  state,
  go,
  hasToken,
  onToken,
  theme,
  onTheme,
}: HeaderProps) {
  return (
    <header>
      <p class="brand">
        <a href="/" title="Reset window, filters and grouping">
          Federated ETL
        </a>
        {cluster !== undefined && <small>{cluster}</small>}
      </p>
      <nav aria-label="Views">
        {views.map(([view, title]) => (
          <Link
            key={view}
            to={{ ...state, view: view === 'allocations' ? '' : view }}
            go={go}
            {...(view === current && { 'aria-current': 'page' })}
          >
            {title}
          </Link>
        ))}
      </nav>
      <div class="tools">
        <button type="button" class="small" onClick={onToken}>
          {hasToken ? 'Token set' : 'Operator token'}
        </button>
        <label>
          <span class="hidden">Theme</span>
          <select value={theme} onChange={(event) => onTheme(event.currentTarget.value)}>
            {themes.map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <a href="/api/docs" class="small">
          API
        </a>
      </div>
    </header>
  );
}
