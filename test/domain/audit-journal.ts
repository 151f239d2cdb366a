import { MINUTE, SECOND } from '../../src/domain/clock.ts';
import type { JournalEntry, Observed } from '../../src/domain/operation.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';

/** Journals of made-up attempts: good ones, of which a test spoils one thing. */

export const T0 = Date.UTC(2025, 11, 6);

export interface LifeOptions {
  id?: string;
  zone?: string | null;
  updateDomain?: number;
  /** Seconds after its last extension at which it becomes healthy; null: never. */
  healthyAfter?: number | null;
  /** Whether it is restored then, and to what. */
  restoredTo?: string | null;
  from?: string;
  extensionError?: string;
}

export interface AttemptOptions {
  set?: string;
  region?: string;
  rollout?: string;
  number?: number;
  by?: Partial<NonNullable<Observed['attempt']>>;
  policy?: Partial<typeof DEFAULT_ROLLING_POLICY>;
  /** Instances of the set. */
  size?: number;
  unhealthy?: number;
  /** Seconds after `T0`. */
  start?: number;
  /** Seconds between batches. */
  pause?: number;
  status?: 'Completed' | 'Faulted' | null;
}

/** The journal of an attempt with these batches, one after the other. */
export function attempt(batches: LifeOptions[][], options: AttemptOptions = {}): JournalEntry[] {
  const { set = 'web', region = 'eastus', rollout = 'r', number = 1, size = 10, unhealthy = 0 } = options;
  const { start = 0, pause = 0, status = 'Completed' } = options;
  const base = {
    scaleSetId: `/sets/${set}`,
    instanceId: '',
    region,
    zone: null,
    updateDomain: null,
    rolloutId: rollout,
    attemptId: `${set}-${number}`,
    fromVersion: null,
    toVersion: '2.0.0',
    detail: null,
    error: null,
  };
  const policy = { ...DEFAULT_ROLLING_POLICY, ...options.policy };
  const by = {
    kind: 'osUpgrade' as const,
    image: 'canonical:ubuntu:22_04-lts',
    imageKind: 'platform' as const,
    startedBy: 'Platform' as const,
    restoresOnFailure: true,
    healthTimeout: 5 * MINUTE,
    ...options.by,
    policy,
  };
  let now = T0 + start * SECOND;
  const entries: JournalEntry[] = [
    { ...base, at: now, operation: 'attempt', event: 'started', detail: by.kind, observed: { attempt: by } },
  ];
  for (const [i, members] of batches.entries()) {
    const lives = members.map((life) => livesOf({ ...base, instanceId: life.id ?? '0' }, life, now, size));
    const [{ zone = null, updateDomain = 0 } = {}] = members;
    const ids = members.map((life) => life.id ?? '0');
    const line = { ...base, zone, updateDomain, operation: 'batch' as const, detail: String(i + 1) };
    const observed = { instances: size, unhealthy, members: ids, action: 'swap' as const };
    entries.push({ ...line, at: now, event: 'started', observed }, ...lives.flat());
    now = Math.max(now, ...lives.flat().map((entry) => entry.at));
    entries.push({ ...line, at: now, event: 'succeeded', observed: { outcomes: { upgraded: ids.length } } });
    now += pause * SECOND;
  }
  if (status === null) return entries;
  const event = status === 'Completed' ? 'succeeded' : 'failed';
  return [...entries, { ...base, at: now, operation: 'attempt', event, detail: status }];
}

/** One instance's upgrade: a swap of a minute, an extension of half a minute, the wait, a restore of a minute. */
function livesOf(
  base: Omit<JournalEntry, 'at' | 'operation' | 'event'>,
  life: LifeOptions,
  start: number,
  size: number,
): JournalEntry[] {
  const { zone = null, updateDomain = 0, healthyAfter = 30, restoredTo = '1.0.0', from = '1.0.0' } = life;
  const entry = (
    seconds: number,
    operation: JournalEntry['operation'],
    event: JournalEntry['event'],
    change: Partial<JournalEntry> = {},
  ): JournalEntry => ({
    ...base,
    at: start + seconds * SECOND,
    zone,
    updateDomain,
    fromVersion: from,
    operation,
    event,
    ...change,
  });
  const app = { detail: 'app', fromVersion: null };
  const upgrade = [
    entry(0, 'osDisk.swap', 'started', { observed: { instances: size } }),
    entry(60, 'osDisk.swap', 'succeeded'),
    entry(60, 'model.apply', 'started'),
    entry(60, 'model.apply', 'succeeded'),
    entry(60, 'extension.run', 'started', app),
  ];
  if (life.extensionError) {
    return [...upgrade, entry(90, 'extension.run', 'failed', { ...app, error: life.extensionError })];
  }
  upgrade.push(entry(90, 'extension.run', 'succeeded', app), entry(90, 'health.wait', 'started'));
  if (healthyAfter !== null) return [...upgrade, entry(90 + healthyAfter, 'health.wait', 'succeeded')];
  const back = { fromVersion: '2.0.0', toVersion: restoredTo };
  return [
    ...upgrade,
    entry(390, 'health.wait', 'failed', { error: 'HealthTimeout: late' }),
    ...(restoredTo === null
      ? []
      : [entry(400, 'osDisk.restore', 'started', back), entry(460, 'osDisk.restore', 'succeeded', back)]),
  ];
}
