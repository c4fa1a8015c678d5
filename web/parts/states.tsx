import type { Refused } from '../ask';
import { formatState, parseState } from '../url-state';

/** Shows why a request failed, and a button to try again or to enter a token. */
export function Failed({
  error,
  again,
  onToken,
}: {
  readonly error: Refused;
  readonly again: () => void;
  readonly onToken: () => void;
}) {
  if (error.status === 503) {
    return (
      <section class="state" role="status">
        <h2>No data yet</h2>
        <p>{error.message}</p>
        <p>
          Data appears once the clusters have pushed, a federation has merged their files and this primary has
          pulled the result.{' '}
          <a href={formatState({ ...parseState(location.search), view: 'federations' })}>Federations</a> shows
          the progress.
        </p>
        <button type="button" onClick={again}>
          Refresh
        </button>
      </section>
    );
  }
  return (
    <section class="state" role="alert">
      <h2>{error.status === 401 ? 'Operator token required' : 'The request failed'}</h2>
      <p>{error.message}</p>
      {error.status === 401 ? (
        <button type="button" class="primary" onClick={onToken}>
          Enter token
        </button>
      ) : (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </section>
  );
}

/** Shows notes about the displayed numbers, each as one sentence. */
export function Notice({ sentences }: { readonly sentences: readonly string[] }) {
  return (
    <div role="status">
      {sentences.map((sentence) => (
        <p key={sentence} class="notice">
          {sentence}
        </p>
      ))}
    </div>
  );
}

/** A drop-down list with its label. */
export function Select({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, title: string])[];
  readonly onChange: (value: string) => void;
}) {
  const known = options.some(([one]) => one === value);
  return (
    <label class="control">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {!known && <option value={value}>{value}</option>}
        {options.map(([one, title]) => (
          <option key={one} value={one}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
