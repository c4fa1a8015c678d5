import type { ComponentChildren } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /**
   * Value of a row in this column, by which rows are sorted. It is also the content of the cell if `show` is undefined.
   */
  readonly value: (row: Row) => number | string;
  readonly show?: (row: Row) => ComponentChildren;
  readonly numeric?: boolean;
  /** Content of the column's cell in the footer. */
  readonly total?: ComponentChildren;
}

export interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** `id` of the column by which rows are sorted. A minus in front means descending order. */
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  /** Text that is shown if there are no rows. */
  readonly empty: string;
}

/**
 * Height of a row, in pixels. All rows have the same height, so the positions of invisible rows are known. Only visible
 * rows need to be in the DOM, even if there are thousands of rows.
 */
const rowHeight = 34;
const spare = 12;
/** A table with at most this many rows does not scroll: all of its rows are in the DOM. */
const fewRows = 60;
const viewHeight = 620;

/** A table with sortable headings that scrolls through any number of rows. */
export function Table<Row>({ caption, columns, rows, keyOf, sort, onSort, empty }: TableProps<Row>) {
  const [top, setTop] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const [id, down] = sort.startsWith('-') ? [sort.slice(1), true] : [sort, false];
  const sorted = useMemo(() => {
    const column = columns.find((one) => one.id === id);
    if (column === undefined) return [...rows];
    const values = new Map(rows.map((row) => [row, column.value(row)]));
    return [...rows].sort((a, b) => {
      const [x, y] = [values.get(a) ?? 0, values.get(b) ?? 0];
      const order =
        typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y));
      return down ? -order : order;
    });
  }, [rows, columns, id, down]);
  const many = sorted.length > fewRows;
  const first = many ? Math.max(0, Math.floor(top / rowHeight) - spare) : 0;
  const last = many
    ? Math.min(sorted.length, first + Math.ceil(viewHeight / rowHeight) + 2 * spare)
    : sorted.length;
  const hasTotals = columns.some(({ total }) => total !== undefined);

  return (
    <div
      class={many ? 'table scrolls' : 'table'}
      ref={scroller}
      tabIndex={many ? 0 : undefined}
      role={many ? 'region' : undefined}
      aria-label={many ? caption : undefined}
      onScroll={() => setTop(scroller.current?.scrollTop ?? 0)}
    >
      <table aria-rowcount={sorted.length + 1}>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <th
                key={column.id}
                scope="col"
                class={column.numeric ? 'numeric' : undefined}
                aria-sort={column.id !== id ? 'none' : down ? 'descending' : 'ascending'}
              >
                {column.title === '' ? (
                  <span class="hidden">Actions</span>
                ) : (
                  <button
                    type="button"
                    onClick={() =>
                      onSort(
                        column.id === id && down
                          ? column.id
                          : column.id === id
                            ? `-${id}`
                            : column.numeric
                              ? `-${column.id}`
                              : column.id,
                      )
                    }
                  >
                    {column.title}
                    <span class="arrow" aria-hidden="true">
                      {column.id !== id ? '' : down ? '▼' : '▲'}
                    </span>
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <Gap rows={first} columns={columns.length} />}
          {sorted.slice(first, last).map((row, index) => (
            <tr key={keyOf(row)} aria-rowindex={first + index + 2}>
              {columns.map((column, place) => {
                const content = column.show === undefined ? column.value(row) : column.show(row);
                return place === 0 ? (
                  <th key={column.id} scope="row">
                    {content}
                  </th>
                ) : (
                  <td key={column.id} class={column.numeric ? 'numeric' : undefined}>
                    {content}
                  </td>
                );
              })}
            </tr>
          ))}
          {last < sorted.length && <Gap rows={sorted.length - last} columns={columns.length} />}
          {sorted.length === 0 && (
            <tr>
              <td class="empty" colSpan={columns.length}>
                {empty}
              </td>
            </tr>
          )}
        </tbody>
        {hasTotals && sorted.length > 0 && (
          <tfoot>
            <tr>
              {columns.map((column) => (
                <td key={column.id} class={column.numeric ? 'numeric' : undefined}>
                  {column.total}
                </td>
              ))}
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}

/** Takes the place of rows that are out of view, so that the scroll position stays correct. */
function Gap({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  return (
    <tr aria-hidden="true" class="gap">
      <td colSpan={columns} style={{ height: `${rows * rowHeight}px` }} />
    </tr>
  );
}
