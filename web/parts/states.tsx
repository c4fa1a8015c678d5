import type { Refused } from '../ask';
import { formatState, parseState } from '../url-state';

/** What the server said instead of an answer, and a way to ask again. */
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
        <h2>Nothing to show yet</h2>
        <p>{error.message}</p>
        <p>
          The first numbers come once clusters have pushed, a federation has merged them, and this primary has
          pulled it.{' '}
          <a href={formatState({ ...parseState(location.search), view: 'federations' })}>Federations</a> shows
          how far that is.
        </p>
        <button type="button" onClick={again}>
          Look again
        </button>
      </section>
    );
  }
  return (
    <section class="state" role="alert">
      <h2>{error.status === 401 ? 'The operator token is needed' : 'This could not be answered'}</h2>
      <p>{error.message}</p>
      {error.status === 401 ? (
        <button type="button" class="primary" onClick={onToken}>
          Enter the token
        </button>
      ) : (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </section>
  );
}

/** What there is to know beside the numbers, a sentence each. */
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

/** A choice among few, with its label. */
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
