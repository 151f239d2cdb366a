import type { Logger } from 'pino';
import type { HealthWait } from '../activities/index.ts';
import { Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { askAll, type Probes } from './health.ts';
import { LedgerReader, type LedgerSource } from './ledger-reader.ts';

export interface MetricsParts extends LedgerSource {
  readonly probes: Probes;
  /** More of this process, in Prometheus' text format: the SDK's. */
  readonly more?: () => Promise<string>;
  readonly log: Pick<Logger, 'warn'>;
}

export interface Metrics {
  readonly contentType: string;
  /** Everything, in Prometheus' text format. What cannot be read is left out: the rest is wanted all the more then. */
  render(): Promise<string>;
  readonly healthWaitEnded: (wait: HealthWait) => void;
}

/** Seconds: the limit is 5 minutes (rule B5). */
const HEALTH_BOUNDS = [5, 10, 20, 30, 45, 60, 90, 120, 180, 240, 300];

/** The metrics of a process: what the ledger tells, whether the parts that it needs answer, and what it is like itself. */
export function createMetrics(parts: MetricsParts): Metrics {
  const { probes, more, log } = parts;
  const own = ownMetrics();
  const ledger = new LedgerReader(parts);
  const readLedger = async () => {
    const { registry, cost } = await ledger.read();
    own.ledgerRead.set(cost / 1000);
    return registry.metrics();
  };
  return {
    contentType: own.registry.contentType,
    healthWaitEnded: ({ duration, isHealthy }) =>
      own.healthWait.observe({ outcome: isHealthy ? 'healthy' : 'timedOut' }, duration / 1000),
    render: async () => {
      const [problems, ...others] = await Promise.all([
        askAll(probes),
        orNothing('the ledger', readLedger, log),
        more === undefined ? '' : orNothing('the SDK', more, log),
      ]);
      for (const [part, problem] of Object.entries(problems))
        own.partUp.set({ part }, problem === null ? 1 : 0);
      const texts = [await own.registry.metrics(), ...others].map((text) => text.trimEnd());
      return `${texts.filter((text) => text !== '').join('\n')}\n`;
    },
  };
}

function ownMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    healthWait: new Histogram({
      name: 'rollouts_health_wait_seconds',
      help: "How long VMs waited for health after their last extension, on the fleet's clock. Of this worker.",
      labelNames: ['outcome'],
      buckets: HEALTH_BOUNDS,
      registers: [registry],
    }),
    partUp: new Gauge({
      name: 'rollouts_part_up',
      help: 'Whether a part that this process needs answers: 1, or 0.',
      labelNames: ['part'],
      registers: [registry],
    }),
    ledgerRead: new Gauge({
      name: 'rollouts_ledger_read_seconds',
      help: 'How long it took to read the metrics of the ledger from the database.',
      registers: [registry],
    }),
  };
}

async function orNothing(
  what: string,
  read: () => Promise<string>,
  log: Pick<Logger, 'warn'>,
): Promise<string> {
  try {
    return await read();
  } catch (error) {
    log.warn({ error: (error as Error).message }, `metrics of ${what} could not be read`);
    return '';
  }
}
