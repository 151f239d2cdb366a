import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { Ledger, LedgerStatistics } from '../../src/ledger/port.ts';
import { createMetrics, type MetricsParts } from '../../src/telemetry/metrics.ts';
import { ledgerRegistry } from '../../src/telemetry/ledger-metrics.ts';
import { fleetOf, type TestFleet } from '../support/fleet.ts';

const NOTHING: LedgerStatistics = {
  rollouts: [],
  attempts: [],
  instances: [],
  batches: [],
  batchDurations: [],
  targets: [],
  waits: [],
  orders: [],
  quarantined: [],
  heldVersions: [],
  watchers: [],
  journal: { lines: 0, lastRecordedAt: null },
};

const IMAGE = 'canonical:ubuntu:22_04-lts';
const GROUP = { imageKey: IMAGE, region: 'eastus', kind: 'osUpgrade' } as const;
const LABELS = `image="${IMAGE}",region="eastus",action="osUpgrade"`;

/** The samples of one metric, as they are written. */
async function samplesOf(name: string, statistics: Partial<LedgerStatistics>): Promise<string[]> {
  const moment = { virtual: 10 * MINUTE, wall: 5 * MINUTE };
  const text = await ledgerRegistry({ ...NOTHING, ...statistics }, moment).metrics();
  return text.split('\n').filter((line) => line.startsWith(name));
}

describe('the metrics of the ledger', () => {
  it('count VMs by how they ended, and those in progress apart', async () => {
    const instances: LedgerStatistics['instances'] = [
      { ...GROUP, outcome: 'upgraded', count: 7 },
      { ...GROUP, outcome: 'restored', count: 2 },
      { ...GROUP, outcome: 'inProgress', count: 3 },
    ];
    expect(await samplesOf('rollouts_instances_', { instances })).toEqual([
      `rollouts_instances_total{${LABELS},outcome="upgraded"} 7`,
      `rollouts_instances_total{${LABELS},outcome="restored"} 2`,
      `rollouts_instances_in_progress{${LABELS}} 3`,
    ]);
  });

  it('tell ended attempts by the code of their reason, and the age of the oldest open one', async () => {
    const attempts: LedgerStatistics['attempts'] = [
      { ...GROUP, status: 'Cancelled', code: 'InstancesNotHealthy', count: 2, since: 0 },
      { ...GROUP, status: 'RollingForward', code: null, count: 1, since: 4 * MINUTE },
      { ...GROUP, kind: 'repair', status: 'RollingForward', code: null, count: 1, since: 7 * MINUTE },
    ];
    expect(await samplesOf('rollouts_attempts_ended_total', { attempts })).toEqual([
      `rollouts_attempts_ended_total{${LABELS},status="Cancelled",reason="InstancesNotHealthy"} 2`,
    ]);
    expect(await samplesOf('rollouts_oldest_open_attempt_seconds', { attempts })).toEqual([
      'rollouts_oldest_open_attempt_seconds{region="eastus"} 360',
    ]);
  });

  it('tell scale sets whose trigger has come from those that wait for it (rule D6)', async () => {
    const targets: LedgerStatistics['targets'] = [
      { region: 'eastus', status: 'waiting', isDue: true, count: 2, since: 9 * MINUTE },
      { region: 'eastus', status: 'waiting', isDue: false, count: 5, since: 8 * MINUTE },
      { region: 'eastus', status: 'upgraded', isDue: true, count: 1, since: 0 },
    ];
    expect(await samplesOf('rollouts_scale_sets', { targets })).toEqual([
      'rollouts_scale_sets{region="eastus",state="due"} 2',
      'rollouts_scale_sets{region="eastus",state="waiting"} 5',
      'rollouts_scale_sets{region="eastus",state="upgraded"} 1',
    ]);
    expect(await samplesOf('rollouts_oldest_waiting_scale_set', { targets })).toEqual([
      'rollouts_oldest_waiting_scale_set_seconds{region="eastus"} 120',
    ]);
  });

  it('have the durations of batches as a histogram', async () => {
    const atMost = [0, 1, 2, 2, 2, 2, 2, 2, 2, 3];
    const batchDurations = [{ kind: 'osUpgrade', atMost, count: 4, sum: 500 * MINUTE }] as const;
    const samples = await samplesOf('rollouts_batch_duration_seconds', {
      batchDurations: [...batchDurations],
    });
    expect(samples).toContain('rollouts_batch_duration_seconds_bucket{action="osUpgrade",le="120"} 1');
    expect(samples.slice(-3)).toEqual([
      'rollouts_batch_duration_seconds_bucket{action="osUpgrade",le="+Inf"} 4',
      'rollouts_batch_duration_seconds_sum{action="osUpgrade"} 30000',
      'rollouts_batch_duration_seconds_count{action="osUpgrade"} 4',
    ]);
  });

  it('tell of every watcher how it goes, by the clock on the wall', async () => {
    const watchers: LedgerStatistics['watchers'] = [
      { name: 'ops', pending: 0, failingSince: null, isDisabled: false },
      { name: 'pager', pending: 7, failingSince: 2 * MINUTE, isDisabled: true },
    ];
    expect(await samplesOf('rollouts_watcher_', { watchers })).toEqual([
      'rollouts_watcher_pending_events{watcher="ops"} 0',
      'rollouts_watcher_pending_events{watcher="pager"} 7',
      'rollouts_watcher_failing_seconds{watcher="ops"} 0',
      'rollouts_watcher_failing_seconds{watcher="pager"} 180',
      'rollouts_watcher_disabled{watcher="ops"} 0',
      'rollouts_watcher_disabled{watcher="pager"} 1',
    ]);
  });

  it('name a gallery image without its subscription, and add up two that are called alike', async () => {
    const id = (subscription: string) => `/subscriptions/${subscription}/galleries/main/images/web`;
    const heldVersions = [
      { imageKey: id('a'), count: 1 },
      { imageKey: id('b'), count: 2 },
    ];
    expect(await samplesOf('rollouts_held_versions', { heldVersions })).toEqual([
      'rollouts_held_versions{image="main/images/web"} 3',
    ]);
  });
});

describe('the metrics of a process', () => {
  let test: TestFleet;
  let ledger: Ledger;
  let warnings: string[];

  beforeEach(async () => {
    test = await fleetOf([{ name: 'Web', region: 'westeurope', capacity: 3 }]);
    ledger = openLedger(test.database);
    warnings = [];
  });
  afterEach(() => test.remove());

  const metricsOf = (parts: Partial<MetricsParts> = {}) => {
    const log = { warn: (_: object, message: string) => void warnings.push(message) };
    const { statistics } = ledger;
    return createMetrics({
      statistics,
      fleet: test.fleet,
      probes: {},
      log: log as MetricsParts['log'],
      ...parts,
    });
  };

  it('say which part answers, and how VMs got healthy', async () => {
    const metrics = metricsOf({
      probes: { database: async () => 1, temporal: () => Promise.reject(new Error('refused')) },
    });
    metrics.healthWaitEnded({ duration: 40_000, isHealthy: true });
    metrics.healthWaitEnded({ duration: 300_000, isHealthy: false });
    const text = await metrics.render();
    expect(text).toContain('rollouts_part_up{part="database"} 1');
    expect(text).toContain('rollouts_part_up{part="temporal"} 0');
    expect(text).toContain('rollouts_health_wait_seconds_bucket{le="45",outcome="healthy"} 1');
    expect(text).toContain('rollouts_health_wait_seconds_sum{outcome="timedOut"} 300');
    expect(text).toContain('rollouts_journal_lines_total 0');
    expect(text).toContain('process_resident_memory_bytes ');
  });

  it('leave the ledger out when it cannot be read: an old number or a zero would be a lie', async () => {
    const broken = { read: () => Promise.reject(new Error('database is locked')) };
    const text = await metricsOf({ statistics: broken, more: async () => 'temporal_x 1' }).render();
    expect(text).not.toContain('rollouts_journal_lines_total');
    expect(text).toContain('temporal_x 1');
    expect(warnings).toEqual(['metrics of the ledger could not be read']);
  });

  it('read the ledger once for all who ask at the same time, and again after a failure', async () => {
    let reads = 0;
    const statistics = {
      read: (request: Parameters<Ledger['statistics']['read']>[0]) => {
        reads++;
        return reads === 1 ? Promise.reject(new Error('locked')) : ledger.statistics.read(request);
      },
    };
    const metrics = metricsOf({ statistics });
    await metrics.render();
    await Promise.all([metrics.render(), metrics.render(), metrics.render()]);
    await metrics.render();
    expect(reads).toBe(2);
  });
});
