import { ATTEMPT_KINDS } from '../../domain/attempt-kinds.ts';
import { humanDuration, type Instant } from '../../domain/clock.ts';
import type { JournalEntry, Observed } from '../../domain/operation.ts';
import { DEFAULT_ROLLING_POLICY } from '../../domain/policy.ts';
import type { RollingUpgradePolicy } from '../../domain/scale-set.ts';

export interface TimelineLine {
  at: Instant;
  /** `rollout`, `phase 1`, `eastus`, `eastus/web` */
  where: string;
  /** The instance that it is about; null if it is about more. */
  vm: string | null;
  what: string;
}

/** What a line of the journal tells a person: of what went as it should, only the batches. */
export function journalLines(entry: JournalEntry): TimelineLine[] {
  const what = entry.instanceId === '' ? ofSet(entry) : ofInstance(entry);
  if (what === null) return [];
  const name = entry.scaleSetId.split('/').at(-1) as string;
  const vm = entry.instanceId === '' ? null : entry.instanceId;
  return [{ at: entry.at, where: `${entry.region}/${name}`, vm, what }];
}

function ofSet(entry: JournalEntry): string | null {
  const { operation, event, detail, error, observed = {} } = entry;
  if (operation === 'takeOver') return 'another run takes over what was begun';
  if (operation === 'batch') {
    return event === 'started'
      ? batchBegins(entry, observed)
      : `batch ${detail} ends: ${outcomesText(observed)}`;
  }
  if (operation !== 'attempt') return null;
  if (event === 'started') return attemptBegins(entry, observed);
  return error === null ? `${detail}` : endText(`${detail}`, error);
}

/**
 * How something ended, and why, without saying a word twice: of `Cancelled` and `Cancelled: Cancelled by ada: no` that is
 * `Cancelled by ada: no`.
 * @param reason `<code>: <message>`
 */
export function endText(status: string, reason: string): string {
  return `${status}: ${reason}`.replaceAll(/\b([A-Z]\w+): (?=\1\b)/g, '');
}

function attemptBegins({ toVersion }: JournalEntry, { attempt, warnings = [] }: Observed): string {
  if (!attempt) return 'is begun';
  const { kind, startedBy, policy } = attempt;
  const { name, isGuarded } = ATTEMPT_KINDS[kind];
  const goal = kind === 'osUpgrade' || kind === 'revert' ? ` to ${toVersion ?? ''}` : '';
  return [
    `${name}${goal} begins${startedBy === 'User' ? ' by hand' : ''}`,
    ...(isGuarded ? policyText(policy) : []),
    ...failuresText(attempt),
    ...warnings.map((text) => `warning: ${text.replace(/\.$/, '')}`),
  ].join('; ');
}

/** What becomes of instances that fail, where they are not restored (rules B6, B7). */
function failuresText({ restoresOnFailure, startedBy, policy }: NonNullable<Observed['attempt']>): string[] {
  if (restoresOnFailure) return [];
  const rollsBack = startedBy === 'Platform' && policy.rollbackFailedInstancesOnPolicyBreach;
  return [`what fails is left${rollsBack ? ', and restored only if too much does' : ' as it is'}`];
}

/** What of a set's policy is not as usual. */
function policyText(policy: RollingUpgradePolicy): string[] {
  const usual = DEFAULT_ROLLING_POLICY;
  const {
    maxBatchInstancePercent: batch,
    maxUnhealthyInstancePercent: whole,
    maxUnhealthyUpgradedInstancePercent: upgraded,
    pauseTimeBetweenBatches: pause,
  } = policy;
  return [
    ...(batch === usual.maxBatchInstancePercent ? [] : [`batches of ${batch} %`]),
    ...(whole === usual.maxUnhealthyInstancePercent ? [] : [`at most ${whole} % unhealthy`]),
    ...(upgraded === usual.maxUnhealthyUpgradedInstancePercent
      ? []
      : [`at most ${upgraded} % of the upgraded unhealthy`]),
    ...(pause === 0 ? [] : [`${humanDuration(pause)} between batches`]),
    ...(policy.enableCrossZoneUpgrade ? ['batches may span zones'] : []),
    ...(policy.prioritizeUnhealthyInstances ? ['unhealthy VMs first'] : []),
  ];
}

function batchBegins({ detail, zone, updateDomain }: JournalEntry, observed: Observed): string {
  const place = [
    ...(zone === null ? [] : [`zone ${zone}`]),
    ...(updateDomain === null ? [] : [`update domain ${updateDomain}`]),
  ];
  const { members = [], instances = 0, unhealthy = 0, action = 'swap' } = observed;
  const doing = { swap: '', configure: ' (model only)', restore: ' (its kept disk)' }[action];
  const where = place.length > 0 ? ` (${place.join(', ')})` : '';
  return `batch ${detail}${where}: ${vmList(members)}${doing}; ${unhealthy} of ${instances} unhealthy`;
}

const OUTCOMES: Record<string, string> = {
  upgraded: 'healthy',
  restored: 'restored',
  left: 'failed and left',
  restoreFailed: 'not restored, in quarantine',
};

function outcomesText({ outcomes = {}, gone = [] }: Observed): string {
  // What was deleted has been left, too.
  const ended = { ...outcomes, left: (outcomes['left'] ?? 0) - gone.length };
  const counts = Object.entries(OUTCOMES)
    .map(([outcome, words]) => ({ count: ended[outcome as keyof typeof ended] ?? 0, words }))
    .filter(({ count }) => count > 0)
    .map(({ count, words }) => `${count} ${words}`);
  return [...counts, ...(gone.length > 0 ? [`${vmList(gone)} deleted meanwhile`] : [])].join(', ');
}

const MOST_NAMED = 12;

/** `VM 3`, `VM 3, 4, 7` */
export function vmList(ids: readonly string[]): string {
  const named = ids.slice(0, MOST_NAMED).join(', ');
  return `VM ${named}${ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : ''}`;
}

function ofInstance({ operation, event, detail, error, toVersion }: JournalEntry): string | null {
  if (operation === 'osDisk.restore') {
    if (event === 'failed') return `restore failed: ${error}`;
    const version = toVersion ?? 'the previous version';
    return event === 'started' ? `goes back to ${version}` : `runs ${version} again`;
  }
  if (event !== 'failed') return null;
  switch (operation) {
    case 'osDisk.swap':
      return `OS disk not replaced: ${error}`;
    case 'extension.run':
      return `extension ${detail} failed: ${error}`;
    case 'health.wait':
      return `is given up: ${error}`;
    default:
      return `${operation} failed: ${error}`;
  }
}
