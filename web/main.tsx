import { render } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { StatusView } from '../api/contract';
import { storedToken, storeToken, useAnswer } from './ask';
import { age, moment } from './format';
import { openingWindow, usual } from './opening-window';
import { Dialog } from './parts/dialog';
import { Link } from './parts/link';
import { formatState, parseState, type UrlState } from './url-state';
import { Allocations } from './views/allocations';
import { Assets } from './views/assets';
import { Clusters } from './views/clusters';
import { Federations } from './views/federations';
import { Generations } from './views/generations';

const views = {
  allocations: ['Allocations', Allocations],
  assets: ['Assets', Assets],
  clusters: ['Clusters', Clusters],
  federations: ['Federations', Federations],
  generations: ['Generations', Generations],
} as const;
type ViewName = keyof typeof views;

const themes = ['system', 'light', 'dark'] as const;
const themeKey = 'federated-etl-theme';
const statusEveryMs = 30_000;

function Page() {
  const [state, setState] = useState<UrlState>(() => parseState(location.search));
  const [message, setMessage] = useState('');
  const [asksToken, setAsksToken] = useState(false);
  const [token, setToken] = useState(storedToken);
  const [theme, setTheme] = useState(() => localStorage.getItem(themeKey) ?? 'system');
  const status = useAnswer<StatusView>('/api/status');
  const { again } = status;
  // What is on the screen is asked again once the token is there.
  const [round, setRound] = useState(0);

  useEffect(() => {
    const onBack = () => setState(parseState(location.search));
    addEventListener('popstate', onBack);
    const timer = setInterval(again, statusEveryMs);
    return () => {
      removeEventListener('popstate', onBack);
      clearInterval(timer);
    };
  }, [again]);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    localStorage.setItem(themeKey, theme);
  }, [theme]);

  const go = useCallback((change: UrlState, replace = false) => {
    const url = formatState(change);
    if (replace) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
    setState(parseState(location.search));
  }, []);
  const askForToken = useCallback(() => setAsksToken(true), []);
  const name: ViewName =
    (state['view'] ?? 'allocations') in views
      ? ((state['view'] ?? 'allocations') as ViewName)
      : 'allocations';
  const [title, View] = views[name];
  useEffect(() => {
    document.title = `${title} – Federated ETL`;
  }, [title]);
  const served = status.answer?.data.served;
  const clusters = status.answer?.data.clusters;
  // Numbers do not wait for the status: that of a federation may take long.
  const opening = clusters === undefined ? usual : openingWindow(clusters, Date.now());
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)');
    const onChange = () => setDark(media.matches);
    media.addEventListener('change', onChange);
    return () => media.removeEventListener('change', onChange);
  }, []);

  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <p class="brand">
          <a href="/" title="Start again, with nothing chosen">
            Federated ETL
          </a>
          {status.answer?.data.cluster !== undefined && <small>{status.answer.data.cluster}</small>}
        </p>
        <nav aria-label="Views">
          {Object.entries(views).map(([view, [label]]) => (
            <Link
              key={view}
              to={{ ...state, view: view === 'allocations' ? '' : view }}
              go={go}
              {...(view === name && { 'aria-current': 'page' })}
            >
              {label}
            </Link>
          ))}
        </nav>
        <div class="tools">
          <button type="button" class="small" onClick={askForToken}>
            {token === '' ? 'Operator token' : 'Token set'}
          </button>
          <label>
            <span class="hidden">Colours</span>
            <select value={theme} onChange={(event) => setTheme(event.currentTarget.value)}>
              {themes.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
          <a href="/api/docs" class="small">
            API
          </a>
        </div>
      </header>
      <div class="banners">
        {served?.ingesting !== undefined && served.ingesting.done < served.ingesting.of && (
          <p class="banner" role="status">
            {served.ingesting.generation === undefined
              ? 'Reading'
              : `Reading generation ${served.ingesting.generation}`}
            : {served.ingesting.done} of {served.ingesting.of} windows.{' '}
            <progress max={served.ingesting.of} value={served.ingesting.done} aria-label="Windows read" />
          </p>
        )}
        {served?.refused !== undefined && (
          <p class="banner bad" role="alert">
            {served.refused.generation === undefined
              ? 'What is there now'
              : `Generation ${served.refused.generation}`}{' '}
            could not be ingested: {served.refused.message} What you see is{' '}
            {served.generation === undefined ? 'what was there before' : `generation ${served.generation}`}.
          </p>
        )}
        {(status.answer?.data.missing ?? []).map((sentence) => (
          <p key={sentence} class="banner">
            {sentence}
          </p>
        ))}
      </div>
      <main id="main" tabIndex={-1}>
        <div class="title">
          <h1>{title}</h1>
          {served?.committedAt !== undefined && (
            <p class="about">
              Generation {served.generation}, combined{' '}
              <time dateTime={served.committedAt} title={`${moment(served.committedAt)} UTC`}>
                {age(served.committedAt, Date.now())} ago
              </time>
            </p>
          )}
        </div>
        <View
          key={`${name} ${round}`}
          state={state}
          go={go}
          opening={opening}
          {...(status.answer !== undefined && { status: status.answer.data })}
          theme={`${theme} ${String(dark)}`}
          onToken={askForToken}
          say={setMessage}
          refresh={again}
        />
      </main>
      <div class="message" role="status" aria-live="polite">
        {message !== '' && (
          <p>
            {message}{' '}
            <button type="button" class="small" onClick={() => setMessage('')}>
              Dismiss
            </button>
          </p>
        )}
      </div>
      {asksToken && (
        <Dialog
          title="Operator token"
          confirm="Use it"
          onCancel={() => setAsksToken(false)}
          onConfirm={() => {
            storeToken(token);
            setAsksToken(false);
            setRound(round + 1);
            again();
          }}
        >
          <p>It is kept for as long as this tab is open. The setting is api.token.</p>
          <label class="control">
            <span>Token</span>
            <input
              type="password"
              autocomplete="off"
              value={token}
              onInput={(event) => setToken(event.currentTarget.value.trim())}
            />
          </label>
        </Dialog>
      )}
    </>
  );
}

const root = document.getElementById('page');
if (root !== null) render(<Page />, root);
