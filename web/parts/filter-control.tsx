import { useState } from 'preact/hooks';
import { useAnswer } from '../ask';
import { appliesTo, type Filtered, filterFields } from '../filter-fields';
import { comparison } from '../url-state';

const plural: Readonly<Record<Filtered, string>> = { allocation: 'allocations', assets: 'assets' };

const operators = [
  [':', 'is'],
  ['!:', 'is not'],
  ['~:', 'contains'],
  ['!~:', 'does not contain'],
  ['<~:', 'begins with'],
  ['~>:', 'ends with'],
] as const;

interface FilterControlProps {
  readonly of: Filtered;
  readonly window: string;
  readonly parts: readonly string[];
  readonly onChange: (parts: readonly string[]) => void;
}

/**
 * Shows the parts of the filter as chips, including parts that do not apply to the current view. Lets the user add a
 * part by choosing a field, a comparison and a value.
 */
export function FilterControl({ of, window, parts, onChange }: FilterControlProps) {
  const fields = filterFields[of];
  const [field, setField] = useState(fields[0] ?? '');
  const [key, setKey] = useState('');
  const [operator, setOperator] = useState(':');
  const [value, setValue] = useState('');
  const keyed = field === 'label' || field === 'annotation';
  const query = `/model/${of}/autocomplete?window=${encodeURIComponent(window)}&limit=200`;
  const keys = useAnswer<{ data: string[] }>(keyed ? `${query}&field=${field}` : undefined);
  const asked = keyed ? (key === '' ? undefined : `${field}:${key}`) : field;
  const values = useAnswer<{ data: string[] }>(
    asked === undefined ? undefined : `${query}&field=${encodeURIComponent(asked)}`,
  );
  const add = () => {
    const left = keyed ? `${field}[${key}]` : field;
    if (keyed && key === '') return;
    onChange([...parts, comparison(left, operator, value)]);
    setValue('');
  };
  return (
    <div class="filters">
      <ul class="chips" aria-label="Filters">
        {parts.map((part, index) => (
          <li key={part} class={appliesTo(of, part) ? undefined : 'waits'}>
            <code>{part}</code>
            {!appliesTo(of, part) && <small>ignored for {plural[of]}</small>}
            <button
              type="button"
              aria-label={`Remove filter ${part}`}
              onClick={() => onChange(parts.filter((_, at) => at !== index))}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <details>
        <summary>Add filter</summary>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <label class="control">
            <span>Field</span>
            <select value={field} onChange={(event) => setField(event.currentTarget.value)}>
              {fields.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          {keyed && (
            <label class="control">
              <span>Key</span>
              <input list="filter-keys" value={key} onInput={(event) => setKey(event.currentTarget.value)} />
              <datalist id="filter-keys">
                {keys.answer?.data.data.map((one) => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            </label>
          )}
          <label class="control">
            <span>Operator</span>
            <select value={operator} onChange={(event) => setOperator(event.currentTarget.value)}>
              {operators.map(([sign, title]) => (
                <option key={sign} value={sign}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          <label class="control">
            <span>Value</span>
            <input
              list="filter-values"
              value={value}
              onInput={(event) => setValue(event.currentTarget.value)}
            />
            <datalist id="filter-values">
              {values.answer?.data.data.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          </label>
          <button type="submit">Add</button>
        </form>
      </details>
    </div>
  );
}
