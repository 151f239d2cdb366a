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
  return `${detail}${error === null ? '' : `: ${error}`}`;
}

function attemptBegins({ toVersion }: JournalEntry, { attempt, warnings = [] }: Observed): string {
  if (!attempt) return 'is begun';
  const { kind, startedBy, restoresOnFailure, policy } = attempt;
  const { name, isGuarded } = ATTEMPT_KINDS[kind];
  const goal = toVersion === null || kind === 'repair' ? '' : ` to ${toVersion}`;
  return [
    `${name}${goal} begins${startedBy === 'User' ? ' by hand' : ''}`,
    ...(isGuarded ? policyText(policy) : []),
    ...(restoresOnFailure ? [] : ['what fails is left as it is']),
    ...warnings.map((text) => `warning: ${text.replace(/\.$/, '')}`),
  ].join('; ');
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
    ...(policy.rollbackFailedInstancesOnPolicyBreach ? ['what was left is restored if it stops'] : []),
  ];
}

function batchBegins({ detail, zone, updateDomain }: JournalEntry, observed: Observed): string {
  const place = [
    ...(zone === null ? [] : [`zone ${zone}`]),
    ...(updateDomain === null ? [] : [`update domain ${updateDomain}`]),
  ];
  const { members = [], instances = 0, unhealthy = 0, action = 'swap' } = observed;
  const doing = { swap: '', configure: ', model only', restore: ', kept disks' }[action];
  const where = place.length > 0 ? ` (${place.join(', ')})` : '';
  return `batch ${detail}${where}: VM ${members.join(', ')}${doing}; ${unhealthy} of ${instances} unhealthy`;
}

const OUTCOMES: Record<string, string> = {
  upgraded: 'upgraded',
  restored: 'restored',
  left: 'failed and left',
  restoreFailed: 'whose restore failed',
};

function outcomesText({ outcomes = {} }: Observed): string {
  const parts = Object.entries(outcomes).filter(([, count]) => count > 0);
  return (
    parts.map(([outcome, count]) => `${count} ${OUTCOMES[outcome] ?? outcome}`).join(', ') || 'nothing left'
  );
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
      return `${error}`;
    default:
      return `${operation} failed: ${error}`;
  }
}
