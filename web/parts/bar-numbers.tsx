import { useMemo, useState } from 'preact/hooks';
import type { BarUnit } from '../bars';
import { displayName, money } from '../format';
import type { Series } from '../series';
import { type Column, Table } from './table';

interface BarNumbersProps {
  readonly unit: BarUnit;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  readonly currency: string;
  /** Whether the values of the bars can be added up: totals can, rates cannot. */
  readonly adds: boolean;
}

const titles: Readonly<Record<BarUnit, string>> = { hour: 'Hour', day: 'Day', week: 'Week', month: 'Month' };

/** Shows the chart's data as a table, for screen readers and exact numbers. */
export function BarNumbers({ unit, labels, series, currency, adds }: BarNumbersProps) {
  const [isOpen, setOpen] = useState(false);
  const [sort, setSort] = useState('bar');
  const columns = useMemo((): Column<number>[] => {
    const column = (id: string, title: string, value: (bar: number) => number): Column<number> => ({
      id,
      title,
      value,
      show: (bar) => money(value(bar), currency),
      numeric: true,
      ...(adds && { total: money(sumOf(labels.map((_, bar) => value(bar))), currency) }),
    });
    return [
      {
        id: 'bar',
        title: titles[unit],
        value: (bar) => bar,
        show: (bar) => labels[bar],
        ...(adds && { total: `${labels.length} bars` }),
      },
      ...series.map(({ name, values }) => column(`of ${name}`, displayName(name), (bar) => values[bar] ?? 0)),
      column('total', 'Total', (bar) => sumOf(series.map(({ values }) => values[bar] ?? 0))),
    ];
  }, [unit, labels, series, currency, adds]);
  return (
    <details class="numbers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Chart data as a table</summary>
      {isOpen && (
        <Table
          caption="Cost over time"
          columns={columns}
          rows={labels.map((_, bar) => bar)}
          keyOf={String}
          sort={sort}
          onSort={setSort}
          empty="The chart has no bars."
        />
      )}
    </details>
  );
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
