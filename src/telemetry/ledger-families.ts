import type { Instant } from '../domain/clock.ts';
import type { LedgerStatistics } from '../ledger/port.ts';
import { WATCHERS } from './watcher-families.ts';

/*
 * The metrics that are read from the ledger: the same from every worker, right after kills and repeated activities, and
 * about as few as there are images and regions. Neither scale sets nor VMs are labels: `rollouts explain` tells of those.
 */

/** When the statistics were read: on the fleet's clock, and on the wall. */
export interface Moment {
  virtual: Instant;
  wall: number;
}

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

export interface Family {
  kind: 'counter' | 'gauge';
  name: string;
  help: string;
  labels: readonly string[];
  samples: (statistics: LedgerStatistics, moment: Moment) => Sample[];
}

const UPGRADE = ['image', 'region', 'action'] as const;

type Upgrade = Pick<LedgerStatistics['batches'][number], 'imageKey' | 'region' | 'kind'>;

const upgrade = ({ imageKey, region, kind }: Upgrade) => ({
  image: imageName(imageKey),
  region,
  action: kind,
});

/** A gallery image's id is long, and names a subscription: its gallery and its name will do. */
function imageName(imageKey: string): string {
  return imageKey.startsWith('/') ? imageKey.split('/').slice(-3).join('/') : imageKey;
}

const isOpen = ({ status }: { status: string }) => status === 'RollingForward';

/** What was done to scale sets and VMs. */
const UPGRADES: readonly Family[] = [
  {
    kind: 'counter',
    name: 'rollouts_instances_total',
    help: 'VMs of batches, by how they ended: upgraded, restored, restoreFailed, left, abandoned.',
    labels: [...UPGRADE, 'outcome'],
    samples: ({ instances }) =>
      instances
        .filter(({ outcome }) => outcome !== 'inProgress')
        .map((group) => ({ labels: { ...upgrade(group), outcome: group.outcome }, value: group.count })),
  },
  {
    kind: 'gauge',
    name: 'rollouts_instances_in_progress',
    help: 'VMs of open attempts that are in a batch, or have failed and may yet be restored (rule B7).',
    labels: UPGRADE,
    samples: ({ instances }) =>
      instances
        .filter(({ outcome }) => outcome === 'inProgress')
        .map((group) => ({ labels: upgrade(group), value: group.count })),
  },
  {
    kind: 'counter',
    name: 'rollouts_batches_opened_total',
    help: 'Batches begun.',
    labels: UPGRADE,
    samples: ({ batches }) => batches.map((group) => ({ labels: upgrade(group), value: group.opened })),
  },
  {
    kind: 'counter',
    name: 'rollouts_batches_closed_total',
    help: 'Batches ended.',
    labels: UPGRADE,
    samples: ({ batches }) => batches.map((group) => ({ labels: upgrade(group), value: group.closed })),
  },
  {
    kind: 'counter',
    name: 'rollouts_attempts_ended_total',
    help: "Attempts on scale sets that have ended, by status and the reason's code: a threshold (rules B1, B7, B8), an order, ...",
    labels: [...UPGRADE, 'status', 'reason'],
    samples: ({ attempts }) =>
      attempts
        .filter((group) => !isOpen(group))
        .map((group) => ({
          labels: { ...upgrade(group), status: group.status, reason: group.code ?? '' },
          value: group.count,
        })),
  },
  {
    kind: 'gauge',
    name: 'rollouts_attempts_open',
    help: 'Attempts on scale sets that have not ended.',
    labels: UPGRADE,
    samples: ({ attempts }) =>
      attempts.filter(isOpen).map((group) => ({ labels: upgrade(group), value: group.count })),
  },
  {
    kind: 'gauge',
    name: 'rollouts_oldest_open_attempt_seconds',
    help: "How long the oldest open attempt of a region has been open, on the fleet's clock.",
    labels: ['region'],
    samples: ({ attempts }, moment) => longest(attempts.filter(isOpen), ({ region }) => ({ region }), moment),
  },
];

/** What there is to wait for, and what stands in the way. */
const WAITS: readonly Family[] = [
  {
    kind: 'gauge',
    name: 'rollouts_by_status',
    help: 'Rollouts ever begun, by the status that they have now.',
    labels: ['image', 'action', 'status'],
    samples: ({ rollouts }) =>
      rollouts.map(({ imageKey, action, status, count }) => ({
        labels: { image: imageName(imageKey), action, status },
        value: count,
      })),
  },
  {
    kind: 'gauge',
    name: 'rollouts_scale_sets',
    help: 'Scale sets of rollouts that have not ended: waiting for their trigger, due for their turn (rule D6), and so on.',
    labels: ['region', 'state'],
    samples: ({ targets }) =>
      targets.map(({ region, status, isDue, count }) => ({
        labels: { region, state: status === 'waiting' && isDue ? 'due' : status },
        value: count,
      })),
  },
  {
    kind: 'gauge',
    name: 'rollouts_oldest_waiting_scale_set_seconds',
    help: "How long the first of a region's scale sets has been waiting for its trigger and its turn, on the fleet's clock.",
    labels: ['region'],
    samples: ({ targets }, moment) =>
      longest(
        targets.filter(({ status }) => status === 'waiting'),
        ({ region }) => ({ region }),
        moment,
      ),
  },
  {
    kind: 'gauge',
    name: 'rollouts_waits',
    help: 'What is waited for: scale sets for their trigger and turn (rule D6), a zone (rule D4) or the next batch, regions for their geo-pair (rule D1), phases that bake (rule D3), rollouts for a decision (rule D2).',
    labels: ['wait'],
    samples: ({ waits }) => waits.map(({ kind, count }) => ({ labels: { wait: kind }, value: count })),
  },
  {
    kind: 'gauge',
    name: 'rollouts_oldest_wait_seconds',
    help: "How long the longest of each kind of wait has lasted, on the fleet's clock.",
    labels: ['wait'],
    samples: ({ waits }, moment) => longest(waits, ({ kind }) => ({ wait: kind }), moment),
  },
  {
    kind: 'gauge',
    name: 'rollouts_orders',
    help: 'Orders that stand and stop something: paused, cancelled.',
    labels: ['state'],
    samples: ({ orders }) => orders.map(({ state, count }) => ({ labels: { state }, value: count })),
  },
  {
    kind: 'gauge',
    name: 'rollouts_quarantined_instances',
    help: 'VMs whose restore failed: nothing touches them before a person has them repaired.',
    labels: ['region'],
    samples: ({ quarantined }) =>
      quarantined.map(({ region, count }) => ({ labels: { region }, value: count })),
  },
  {
    kind: 'gauge',
    name: 'rollouts_held_versions',
    help: 'Versions that are held back from scale sets on which they were reverted.',
    labels: ['image'],
    samples: ({ heldVersions }) =>
      heldVersions.map(({ imageKey, count }) => ({ labels: { image: imageName(imageKey) }, value: count })),
  },
];

const JOURNAL: readonly Family[] = [
  {
    kind: 'counter',
    name: 'rollouts_journal_lines_total',
    help: "The number of the journal's last line.",
    labels: [],
    samples: ({ journal }) => [{ labels: {}, value: journal.lines }],
  },
  {
    kind: 'gauge',
    name: 'rollouts_journal_silence_seconds',
    help: "Time since the journal's last line was written, by the clock on the wall.",
    labels: [],
    samples: ({ journal: { lastRecordedAt } }, { wall }) =>
      lastRecordedAt === null ? [] : [{ labels: {}, value: Math.max(0, wall - lastRecordedAt) / 1000 }],
  },
];

export const LEDGER_FAMILIES: readonly Family[] = [...UPGRADES, ...WAITS, ...WATCHERS, ...JOURNAL];

/** Of the rows with the same labels the longest time since they began to be so, in seconds. */
function longest<Row extends { since: Instant }>(
  rows: readonly Row[],
  labelsOf: (row: Row) => Sample['labels'],
  { virtual }: Moment,
): Sample[] {
  const samples = new Map<string, Sample>();
  for (const row of rows) {
    const labels = labelsOf(row);
    const key = JSON.stringify(labels);
    const value = Math.max(0, virtual - row.since) / 1000;
    if (value >= (samples.get(key)?.value ?? 0)) samples.set(key, { labels, value });
  }
  return [...samples.values()];
}
