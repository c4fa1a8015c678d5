export interface Series {
  readonly name: string;
  /** Values of the series, one per bar. */
  readonly values: readonly number[];
}

/** Maximum number of series that are shown separately. More series would need colours that are hard to distinguish. */
export const mostSeries = 8;

/**
 * Keeps the `mostSeries` largest series, and combines the others into one by adding them up. Idle costs are combined
 * into a separate series, which comes last.
 */
export function foldSeries(series: readonly Series[]): Series[] {
  const sum = ({ values }: Series) => values.reduce((total, value) => total + value, 0);
  const idle = series.filter(({ name }) => name.includes('__idle__'));
  const plain = series.filter(({ name }) => !name.includes('__idle__')).sort((a, b) => sum(b) - sum(a));
  const others = plain.slice(mostSeries);
  const folded = (name: string, members: readonly Series[]): Series[] =>
    members.length === 0
      ? []
      : [
          {
            name,
            values: (members[0]?.values ?? []).map((_, at) =>
              members.reduce((total, { values }) => total + (values[at] ?? 0), 0),
            ),
          },
        ];
  return [
    ...plain.slice(0, mostSeries),
    ...folded(`${others.length} others`, others),
    ...folded('__idle__', idle),
  ];
}
