import { Select } from './states';

const windows = [
  ['today', 'Today'],
  ['yesterday', 'Yesterday'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
  ['week', 'This week'],
  ['lastweek', 'Last week'],
  ['month', 'This month'],
  ['lastmonth', 'Last month'],
] as const;

/** Lets the user choose a window: a named one, such as `7d`, or a range of days. */
export function WindowControl({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (window: string) => void;
}) {
  const custom = /^(\d{4}-\d\d-\d\d)T00:00:00Z,(\d{4}-\d\d-\d\d)T00:00:00Z$/.exec(value);
  const day = (time: string | undefined, shift: number) =>
    time === undefined ? '' : new Date(Date.parse(time) + shift * 86_400_000).toISOString().slice(0, 10);
  const [from, to] = [day(custom?.[1], 0), day(custom?.[2], -1)];
  const range = (first: string, last: string) => {
    if (first !== '' && last !== '' && first <= last)
      onChange(`${first}T00:00:00Z,${day(last, 1)}T00:00:00Z`);
  };
  const today = new Date().toISOString().slice(0, 10);
  return (
    <>
      <Select
        label="Window"
        value={custom === null ? value : 'custom'}
        options={[...windows, ['custom', 'Custom range']]}
        onChange={(chosen) => (chosen === 'custom' ? range(day(today, -6), today) : onChange(chosen))}
      />
      {custom !== null && (
        <>
          <label class="control">
            <span>From</span>
            <input
              type="date"
              value={from}
              max={to}
              onChange={(event) => range(event.currentTarget.value, to)}
            />
          </label>
          <label class="control">
            <span>To</span>
            <input
              type="date"
              value={to}
              min={from}
              onChange={(event) => range(from, event.currentTarget.value)}
            />
          </label>
        </>
      )}
    </>
  );
}
