/** One sample from the `/metrics` endpoint: a metric's value for one combination of labels. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Parses metrics in Prometheus' text format. */
export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match?.[1] === undefined) return [];
    const labels = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    return [
      {
        name: match[1],
        labels: Object.fromEntries(labels.map(([, label = '', value = '']) => [label, value])),
        value: Number(match[3]),
      },
    ];
  });
}

/** Adds up the samples of a metric, separately for each value of the given label. */
export function sumsBy(samples: readonly Sample[], name: string, label: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const sample of samples) {
    const value = sample.labels[label];
    if (sample.name === name && value !== undefined) sums.set(value, (sums.get(value) ?? 0) + sample.value);
  }
  return sums;
}

/** Returns the increase of each entry between two readings. Omits entries that have not changed. */
export function added(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Map<string, number> {
  const differences = [...after].map(([key, value]): [string, number] => [
    key,
    value - (before.get(key) ?? 0),
  ]);
  return new Map(differences.filter(([, difference]) => difference !== 0));
}
