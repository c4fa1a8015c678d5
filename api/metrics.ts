import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Answers } from '../query/answers';
import type { Origin } from './answer-cache';

/** Records requests in the metrics. Metrics about the served data are not recorded here, but read at each scrape. */
export interface RequestMetrics {
  observe(route: string, status: number, seconds: number): void;
  /**
   * Counts an answer by its origin. `client` means that the copy in the client's cache was still valid, so a 304
   * without a body was sent.
   */
  answered(from: Origin | 'client'): void;
}

/** Registers the metrics of the API. Returns the functions that record requests. */
export function registerMetrics(registry: Registry, answers: Answers, now: () => number): RequestMetrics {
  const requests = new Histogram({
    name: 'federated_etl_api_request_seconds',
    help: 'Time to answer, by route and status',
    labelNames: ['route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.3, 0.5, 1, 1.5, 3, 10, 30],
    registers: [registry],
  });
  const answered = new Counter({
    name: 'federated_etl_api_answers_total',
    help: 'Answers to queries, by where they came from: the database, an answer that was kept, one that somebody else had asked for, or the client itself',
    labelNames: ['from'],
    registers: [registry],
  });
  gauge('federated_etl_served_generation', 'The generation that is served; 0 before the first', () => [
    [{}, answers.state().generation ?? 0],
  ]);
  gauge('federated_etl_generation_refused', '1 while a newer generation cannot be served', () => [
    [{}, answers.state().refused === undefined ? 0 : 1],
  ]);
  gauge(
    'federated_etl_cluster_data_age_seconds',
    'Time since the end of the newest window of a cluster',
    () =>
      answers
        .state()
        .clusters.map(({ cluster, lastData }) => [{ cluster_id: cluster }, Math.max(0, now() - lastData)]),
  );
  gauge('federated_etl_cluster_allocations', 'Allocations of a cluster in its newest window', () =>
    answers.state().clusters.map(({ cluster, allocations }) => [{ cluster_id: cluster }, allocations]),
  );
  gauge(
    'federated_etl_cluster_numbers_not_finite',
    'Numbers of a cluster that are NaN or infinite, in all windows that are served; they count as 0',
    () => answers.state().clusters.map(({ cluster, notFinite }) => [{ cluster_id: cluster }, notFinite]),
  );
  gauge(
    'federated_etl_cluster_windows_missing',
    'Windows without data between the first and the last of a cluster',
    () =>
      answers
        .state()
        .clusters.map(({ cluster, missing }) => [
          { cluster_id: cluster },
          Object.values(missing).reduce((sum, count) => sum + count, 0),
        ]),
  );

  function gauge(name: string, help: string, read: () => [Record<string, string>, number][]): void {
    const labelNames = name.startsWith('federated_etl_cluster_') ? ['cluster_id'] : [];
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
  }

  return {
    answered: (from) => answered.inc({ from }),
    observe: (route, status, seconds) => requests.observe({ route, status: String(status) }, seconds),
  };
}
