import { isoTime } from '../../domain/clock.ts';
import { instancesOf } from '../view/counts.ts';
import { batchView } from '../view/phase-views.ts';
import { totalOf } from '../view/progress.ts';
import { batchText, count, names } from '../view/words.ts';
import type { BatchView } from '../view/index.ts';
import { openUpgrade, type AttemptFacts, type Facts } from './facts.ts';
import type { ExplainedInstance, ExplainedReason, ExplainedWait, InstanceState, Verdict } from './types.ts';

/** What the verdict goes by. */
export interface Findings {
  instances: readonly ExplainedInstance[];
  /** Against an upgrade: all of them, the stop included. */
  reasons: readonly ExplainedReason[];
  stop: ExplainedReason | null;
  waits: readonly ExplainedWait[];
}

/** In one line: is it upgraded, and if not, why not. */
export function verdictOf(facts: Facts, found: Findings): Verdict {
  const { instances, reasons, stop, waits } = found;
  const { version } = facts.target;
  const upgrade = openUpgrade(facts);
  const off = instances.filter((one) => one.state !== 'onVersion');
  if (upgrade !== null) {
    const end = reasons.length === 0 ? '' : `, and stops at the end of its batch: ${codes(reasons)}`;
    return { kind: 'upgrading', text: `is being upgraded (${doing(upgrade, waits)})${end}` };
  }
  if (instances.length === 0)
    return { kind: 'upgraded', text: 'has no instances: nothing is to be upgraded' };
  if (off.length === 0) return { kind: 'upgraded', text: onVersion(instances, version) };
  if (stop !== null) return { kind: 'stopped', text: `was stopped: ${stop.code}` };
  if (reasons.length > 0) return { kind: 'notUpgraded', text: `is not upgraded: ${codes(reasons)}` };
  const [first, ...more] = waits;
  if (first !== undefined)
    return { kind: 'waiting', text: `is not yet upgraded: ${waiting(first, more.length)}` };
  const text = `is upgraded but for ${off.length} of ${count(instances.length, 'instance')}, which are left alone: ${leftAlone(off)}`;
  return { kind: 'leftAlone', text };
}

function onVersion(instances: readonly ExplainedInstance[], version: string): string {
  const ill = instances.filter((one) => !one.healthy).length;
  const all = instances.length === 1 ? 'its only instance runs' : `all ${instances.length} instances run`;
  const health = ill === 0 ? '' : `, ${ill} of them unhealthy`;
  return `is upgraded: ${all} ${version}${health}`;
}

/** `batch 3, zone 2, update domain 0, 4 of 10 done` */
function doing(upgrade: AttemptFacts, waits: readonly ExplainedWait[]): string {
  const { batch, done, total } = progressOf(upgrade);
  const [first] = waits;
  const what = batch !== null ? batchText(batch) : first ? `waits for ${first.what}` : 'between two batches';
  return `${what}, ${done} of ${total} done`;
}

/** The batch under way, and how many instances are done. */
export function progressOf({ attempt, batches, taken }: AttemptFacts): {
  batch: BatchView | null;
  done: number;
  total: number;
} {
  const last = batches.at(-1);
  const counts = instancesOf([attempt], taken);
  const isOpen = attempt.status === 'RollingForward' && last !== undefined && last.endedAt === null;
  const batch = isOpen ? batchView(last) : null;
  return { batch, done: counts.upgraded + counts.failed, total: totalOf(counts) };
}

/** `2 reasons (ImageVersionNotLatest, HealthSourceMissing)` */
function codes(reasons: readonly ExplainedReason[]): string {
  return `${count(reasons.length, 'reason')} (${names(reasons.map(({ code }) => code))})`;
}

function waiting({ what, since, until }: ExplainedWait, others: number): string {
  const from = since === null ? '' : `, since ${isoTime(since)}`;
  const to = until === null ? '' : ` until ${isoTime(until)}`;
  return `waits for ${what}${from}${to}${others === 0 ? '' : ` (and for ${others} more)`}`;
}

const LEFT_ALONE: { [State in InstanceState]?: string } = {
  protected: 'protected',
  stopped: 'stopped',
  behindModel: 'behind the model',
  quarantined: 'in quarantine',
  failed: 'failed',
};

/** `2 protected, 1 stopped` */
function leftAlone(off: readonly ExplainedInstance[]): string {
  return Object.entries(LEFT_ALONE)
    .map(([state, word]) => ({ word, size: off.filter((one) => one.state === state).length }))
    .filter(({ size }) => size > 0)
    .map(({ word, size }) => `${size} ${word}`)
    .join(', ');
}
