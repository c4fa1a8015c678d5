import { render } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { StatusView } from '../api/contract';
import { useAddress } from './address';
import { storedToken, storeToken, useAnswer } from './ask';
import { age, moment } from './format';
import { openingWindow, usual } from './opening-window';
import { Banners } from './parts/banners';
import { Header } from './parts/header';
import { TokenDialog } from './parts/token-dialog';
import { useTheme } from './theme';
import { Allocations } from './views/allocations';
import { Assets } from './views/assets';
import { Clusters } from './views/clusters';
import { Federations } from './views/federations';
import { Generations } from './views/generations';
import { showHidden } from './visible';

const views = {
  allocations: ['Allocations', Allocations],
  assets: ['Assets', Assets],
  clusters: ['Clusters', Clusters],
  federations: ['Federations', Federations],
  generations: ['Generations', Generations],
} as const;
type ViewName = keyof typeof views;
const titles = Object.entries(views).map(([name, [title]]) => [name, title] as const);

const statusEveryMs = 30_000;

function Page() {
  const [state, go] = useAddress();
  const [message, setMessage] = useState('');
  const [asksToken, setAsksToken] = useState(false);
  // Incremented when the user enters a token. The view is then mounted again, so it repeats its requests.
  const [round, setRound] = useState(0);
  const { theme, setTheme, colours } = useTheme();
  const { answer, again } = useAnswer<StatusView>('/api/status');
  const status = answer?.data;

  useEffect(() => {
    const timer = setInterval(again, statusEveryMs);
    return () => clearInterval(timer);
  }, [again]);
  const askForToken = useCallback(() => setAsksToken(true), []);
  const asked = state['view'] ?? 'allocations';
  const name = Object.hasOwn(views, asked) ? (asked as ViewName) : 'allocations';
  const [title, View] = views[name];
  useEffect(() => {
    document.title = `${title} – Federated ETL`;
  }, [title]);
  // Until the status has loaded, show the costs of the usual window. The status of a federation can load slowly.
  const opening = status === undefined ? usual : openingWindow(status.clusters, Date.now());

  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header
        views={titles}
        current={name}
        {...(status?.cluster !== undefined && { cluster: status.cluster })}
        state={state}
        go={go}
        hasToken={storedToken() !== ''}
        onToken={askForToken}
        theme={theme}
        onTheme={setTheme}
      />
      <Banners status={status} />
      <main id="main" tabIndex={-1}>
        <div class="title">
          <h1>{title}</h1>
          {status !== undefined && <Served served={status.served} />}
        </div>
        <View
          key={`${name} ${round}`}
          state={state}
          go={go}
          opening={opening}
          {...(status !== undefined && { status })}
          theme={colours}
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
        <TokenDialog
          onCancel={() => setAsksToken(false)}
          onToken={(token) => {
            storeToken(token);
            setAsksToken(false);
            setRound(round + 1);
            again();
          }}
        />
      )}
    </>
  );
}

function Served({ served: { generation, committedAt } }: { readonly served: StatusView['served'] }) {
  if (committedAt === undefined) return null;
  return (
    <p class="about">
      Generation {generation}, committed{' '}
      <time dateTime={committedAt} title={`${moment(committedAt)} UTC`}>
        {age(committedAt, Date.now())} ago
      </time>
    </p>
  );
}

const root = document.getElementById('page');
showHidden();
if (root !== null) render(<Page />, root);
