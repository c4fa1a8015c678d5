import { useEffect, useRef } from 'preact/hooks';
import { displayName, money } from '../format';
import { mostSeries, type Series } from '../series';

interface ChartProps {
  readonly title: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  readonly currency: string;
  /** A string that changes whenever the page's colours change. The chart is then drawn again. */
  readonly theme: string;
}

/** Colours that people with a colour vision deficiency can tell apart. */
const palette = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#8a79d6', '#b3a100'];
const idleColour = '#9aa3ad';
const otherColour = '#6b7280';

/** Draws stacked bars over time. `BarNumbers` shows the same data as a table, for screen readers. */
export function Chart({ title, labels, series, currency, theme }: ChartProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let chart: { destroy(): void } | undefined;
    let gone = false;
    // Load the chart library separately: it is half of the page's bytes, and the table does not need it.
    void import('./chart-js').then(({ Chart: ChartJs }) => {
      if (gone || canvas.current === null) return;
      const style = getComputedStyle(document.documentElement);
      const { fontFamily } = getComputedStyle(document.body);
      const [ink, grid] = [style.getPropertyValue('--ink-soft'), style.getPropertyValue('--line')];
      ChartJs.defaults.font.family = fontFamily;
      chart = new ChartJs(canvas.current, {
        type: 'bar',
        data: {
          labels: [...labels],
          datasets: series.map(({ name, values }, index) => ({
            label: displayName(name),
            data: [...values],
            backgroundColor:
              name === '__idle__'
                ? idleColour
                : name.endsWith(' others')
                  ? otherColour
                  : palette[index % mostSeries],
            maxBarThickness: 56,
          })),
        },
        options: {
          responsive: true,
          maintainAspectRatio: false,
          animation: false,
          interaction: { mode: 'index', intersect: false },
          scales: {
            x: {
              stacked: true,
              ticks: { color: ink, maxRotation: 0, autoSkipPadding: 12 },
              grid: { display: false },
            },
            y: {
              stacked: true,
              ticks: { color: ink, callback: (value) => money(Number(value), currency) },
              grid: { color: grid },
            },
          },
          plugins: {
            legend: { position: 'bottom', labels: { color: ink, boxWidth: 12, boxHeight: 12 } },
            tooltip: {
              itemSort: (a, b) => Number(b.raw) - Number(a.raw),
              callbacks: { label: (item) => ` ${item.dataset.label}: ${money(Number(item.raw), currency)}` },
            },
          },
        },
      });
    });
    return () => {
      gone = true;
      chart?.destroy();
    };
  }, [labels, series, currency, theme]);
  return (
    <figure class="chart" aria-label={`${title}; the data follows as a table`} role="img">
      <canvas ref={canvas} aria-hidden="true" />
    </figure>
  );
}
