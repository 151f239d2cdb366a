import type { Family } from './ledger-families.ts';

/** Who is told of what happens, and how that goes. Times are by the clock on the wall. */
export const WATCHERS: readonly Family[] = [
  {
    kind: 'gauge',
    name: 'rollouts_watcher_pending_events',
    help: 'Events that a watcher has yet to get.',
    labels: ['watcher'],
    samples: ({ watchers }) =>
      watchers.map(({ name, pending }) => ({ labels: { watcher: name }, value: pending })),
  },
  {
    kind: 'gauge',
    name: 'rollouts_watcher_failing_seconds',
    help: 'How long every try to tell a watcher has failed; 0 while it accepts events.',
    labels: ['watcher'],
    samples: ({ watchers }, { wall }) =>
      watchers.map(({ name, failingSince }) => ({
        labels: { watcher: name },
        value: failingSince === null ? 0 : Math.max(0, wall - failingSince) / 1000,
      })),
  },
  {
    kind: 'gauge',
    name: 'rollouts_watcher_disabled',
    help: '1 for a watcher that is told nothing more until a person says so, else 0.',
    labels: ['watcher'],
    samples: ({ watchers }) =>
      watchers.map(({ name, isDisabled }) => ({ labels: { watcher: name }, value: isDisabled ? 1 : 0 })),
  },
];
