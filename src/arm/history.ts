import { ATTEMPT_KINDS, type AttemptKind } from '../domain/attempt-kinds.ts';
import { isoTime, type Instant } from '../domain/clock.ts';
import type { ImageVersion } from '../domain/image.ts';
import { formatIsoDuration } from '../domain/iso-duration.ts';
import { failureReason, operationErrorCodes } from '../domain/operation.ts';
import type { RollingUpgradePolicy } from '../domain/scale-set.ts';
import type { Attempt, AttemptInstance, AttemptStatus, InstanceOutcome, Progress } from '../ledger/port.ts';

/** What a person sees of a scale set's upgrades, in ARM's shapes (rules E1 and E2). Nothing here reads anything. */

const TYPE = 'Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades';

/** How many attempts the history tells of, and of how many months (rule E1). */
export const HISTORY_LENGTH = 5;
const HISTORY_MONTHS = 2;

/** Of which kinds a set's attempts are to be read for its OS upgrade history (E1), and for its latest upgrade (E2). */
export const KINDS_IN_HISTORY = kindsWith('inHistory');
export const KINDS_OF_ROLLING_UPGRADES = kindsWith('isRollingUpgrade');

interface ApiError {
  code: string;
  message: string;
}

/** One element of `osUpgradeHistory`. */
export interface HistoryItem {
  properties: {
    runningStatus: { code: AttemptStatus; startTime: string; completedTime?: string; endTime?: string };
    progress: Progress;
    error?: ApiError;
    startedBy: 'Platform' | 'User';
    targetImageReference: { publisher: string; offer: string; sku: string; version: string } | { id: string };
    rollbackInfo: {
      successfullyRolledbackInstanceCount: number;
      failedRolledbackInstanceCount: number;
      rollbackError?: ApiError;
    };
  };
  type: typeof TYPE;
  location: string;
}

/** The body of `rollingUpgrades/latest`: without id and name, as Azure sends it. */
export interface LatestUpgrade {
  properties: {
    policy: Omit<RollingUpgradePolicy, 'pauseTimeBetweenBatches'> & { pauseTimeBetweenBatches: string };
    runningStatus: {
      code: AttemptStatus;
      startTime: string;
      lastAction: 'Start' | 'Cancel';
      lastActionTime: string;
    };
    progress: Progress;
    error?: ApiError;
  };
  type: typeof TYPE;
  location: string;
}

/**
 * Those of a set's attempts that its history tells of: the last five OS upgrades and reverts that began in the last two
 * months (rule E1).
 * @param attempts newest first, of whatever kinds
 */
export function attemptsOfHistory(attempts: readonly Attempt[], now: Instant): Attempt[] {
  const since = monthsBefore(now, HISTORY_MONTHS);
  return attempts
    .filter(({ kind, startedAt }) => ATTEMPT_KINDS[kind].inHistory && startedAt >= since)
    .slice(0, HISTORY_LENGTH);
}

/** An attempt as the history shows it (rule E1). @param region of its scale set */
export function historyItem(
  attempt: Attempt,
  instances: readonly AttemptInstance[],
  region: string,
): HistoryItem {
  const { status, startedAt, endedAt, progress, startedBy, target } = attempt;
  return {
    properties: {
      runningStatus: {
        code: status,
        startTime: armTime(startedAt),
        // The article's name of the end, and the one that is in the schema of every client.
        ...(endedAt === null ? {} : { completedTime: armTime(endedAt), endTime: armTime(endedAt) }),
      },
      progress,
      ...errorOf(attempt),
      startedBy,
      targetImageReference: imageReference(target),
      rollbackInfo: rollbackInfo(instances),
    },
    type: TYPE,
    location: region,
  };
}

/** A set's newest attempt as its latest rolling upgrade (rule E2). @param region of its scale set */
export function latestUpgrade(attempt: Attempt, region: string): LatestUpgrade {
  const { status, startedAt, endedAt, progress, policy } = attempt;
  const cancelled = status === 'Cancelled';
  return {
    properties: {
      policy: { ...policy, pauseTimeBetweenBatches: formatIsoDuration(policy.pauseTimeBetweenBatches) },
      runningStatus: {
        code: status,
        startTime: armTime(startedAt),
        lastAction: cancelled ? 'Cancel' : 'Start',
        lastActionTime: armTime(cancelled ? (endedAt ?? startedAt) : startedAt),
      },
      progress,
      ...errorOf(attempt),
    },
    type: TYPE,
    location: region,
  };
}

/** An instant as Azure writes it: `2026-01-05T10:00:00.1230000+00:00`. */
export function armTime(instant: Instant): string {
  return isoTime(instant).replace('Z', '0000+00:00');
}

function errorOf({ status, reason }: Attempt): { error?: ApiError } {
  return reason === null || status === 'Completed' ? {} : { error: reason };
}

/** A gallery's version is known by its id alone: ARM allows no version beside an id. */
function imageReference({ image, version }: ImageVersion): HistoryItem['properties']['targetImageReference'] {
  if (image.kind === 'gallery') return { id: `${image.id}/versions/${version}` };
  const { publisher, offer, sku } = image;
  return { publisher, offer, sku, version };
}

function rollbackInfo(instances: readonly AttemptInstance[]): HistoryItem['properties']['rollbackInfo'] {
  const ended = (outcome: InstanceOutcome) => instances.filter((instance) => instance.outcome === outcome);
  const failed = ended('restoreFailed');
  const first = failed[0];
  const message =
    first && `Instance ${first.instanceId}: ${failureReason(first) ?? 'its OS disk was not restored.'}`;
  return {
    successfullyRolledbackInstanceCount: ended('restored').length,
    failedRolledbackInstanceCount: failed.length,
    ...(message && { rollbackError: { code: restoreCode(first), message } }),
  };
}

/** The restore's own code, where it is known. */
function restoreCode({ restoreError }: AttemptInstance): string {
  return restoreError?.split(':')[0] ?? operationErrorCodes.OsDiskRestoreFailed;
}

function kindsWith(trait: 'inHistory' | 'isRollingUpgrade'): AttemptKind[] {
  const kinds = Object.keys(ATTEMPT_KINDS) as AttemptKind[];
  return kinds.filter((kind) => ATTEMPT_KINDS[kind][trait]);
}

/** The same day of an earlier month, or that month's last day where it is shorter. */
function monthsBefore(instant: Instant, months: number): Instant {
  const date = new Date(instant);
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() - months);
  if (date.getUTCDate() !== day) date.setUTCDate(0);
  return date.getTime();
}
