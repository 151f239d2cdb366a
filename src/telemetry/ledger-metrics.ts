import { Counter, Gauge, Registry, type Histogram } from 'prom-client';
import { MINUTE } from '../domain/clock.ts';
import type { LedgerStatistics } from '../ledger/port.ts';
import { LEDGER_FAMILIES, type Family, type Moment } from './ledger-families.ts';

/** Virtual milliseconds: most batches take some minutes, and rule B5 alone may take five. */
export const BATCH_DURATION_BOUNDS = [1, 2, 3, 5, 7.5, 10, 15, 30, 60, 120].map((bound) => bound * MINUTE);

/** What the ledger tells, as metrics: a registry of its own each time, so that no label stays that is gone. */
export function ledgerRegistry(statistics: LedgerStatistics, moment: Moment): Registry {
  const registry = new Registry();
  for (const family of LEDGER_FAMILIES) addFamily(registry, family, statistics, moment);
  // All that the registry asks of a metric is its name and its values.
  registry.registerMetric(batchDurations(statistics) as unknown as Histogram);
  return registry;
}

function addFamily(
  registry: Registry,
  { kind, name, help, labels, samples }: Family,
  statistics: LedgerStatistics,
  moment: Moment,
): void {
  const configuration = { name, help, labelNames: labels, registers: [registry] };
  const metric = kind === 'counter' ? new Counter(configuration) : new Gauge(configuration);
  // Added up, not set: images of two galleries may have the same name.
  for (const sample of samples(statistics, moment)) metric.inc(sample.labels, sample.value);
}

/** A histogram that is not observed but read: its buckets are counted by the database. */
function batchDurations({ batchDurations: groups }: LedgerStatistics) {
  const name = 'rollouts_batch_duration_seconds';
  const help = "How long batches took from beginning to end, on the fleet's clock.";
  const values = groups.flatMap(({ kind: action, atMost, count, sum }) => {
    const bucket = (le: number | string, value: number) => ({
      metricName: `${name}_bucket`,
      labels: { action, le },
      value,
    });
    return [
      ...atMost.map((value, i) => bucket((BATCH_DURATION_BOUNDS[i] ?? 0) / 1000, value)),
      bucket('+Inf', count),
      { metricName: `${name}_sum`, labels: { action }, value: sum / 1000 },
      { metricName: `${name}_count`, labels: { action }, value: count },
    ];
  });
  return { name, get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values }) };
}
