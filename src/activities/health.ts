import type { Instant } from '../domain/clock.ts';
import { judgeHealth, steadilyHealthyAt, type HealthVerdict } from '../domain/health.ts';
import { sameImageVersion } from '../domain/image.ts';
import { isModelFault, isSpared, type JournalEntry } from '../domain/operation.ts';
import { DEFAULT_SETTINGS } from '../domain/policy.ts';
import type { Instance, ScaleSet } from '../domain/scale-set.ts';
import type { Attempt, AttemptInstance, InstanceOutcome } from '../ledger/port.ts';
import { currentTime, type ActivityDependencies } from './context.ts';
import { restoreErrors } from './batch.ts';
import { refuseOvertaken } from './failures.ts';
import { rollsBackOnBreach } from './goal.ts';
import type { BatchInput, CloseBatchInput, HealthInput, HealthResult, RollBackInput } from './types.ts';

/** What is known of one instance of a batch after its disk was swapped. */
interface Judged {
  instanceId: string;
  /** `waiting` has no outcome yet; `restore` is to be restored; the others are final. */
  verdict: 'waiting' | 'restore' | InstanceOutcome;
  /** When its wait ends, by health or by time-out. */
  nextAt: Instant;
  error: string | null;
  /** Why its restore failed, if it did. */
  restoreError?: string | null;
  /** Journal lines of its wait for health. */
  lines: Pick<JournalEntry, 'at' | 'event' | 'error'>[];
  instance: Instance | null;
}

/**
 * One look at the health of a batch (rules B5, B6): judges every instance by when it became healthy, journals the
 * waits, and closes the batch when all are judged and none is to be restored.
 */
export async function checkHealth(deps: ActivityDependencies, input: HealthInput): Promise<HealthResult> {
  const attempt = await refuseOvertaken(deps.ledger, input.attempt);
  const at = await currentTime(deps, input.at);
  const look = { attempt, input, at, restores: input.restoresOnFailure };
  const { scaleSet, judged } = await judgeBatch(deps, look);
  const waits = scaleSet ? waitEntries(input, scaleSet, judged) : [];
  const waiting = judged.filter((one) => one.verdict === 'waiting');
  const toRestore = judged
    .filter((one) => one.verdict === 'restore')
    .map(({ instanceId, error }) => ({ instanceId, error: error ?? 'unknown' }));
  if (waiting.length === 0) tellWaits(deps, judged);
  if (waiting.length === 0 && toRestore.length === 0)
    await recordOutcomes(deps, attempt, input, judged, at, waits);
  else await deps.ledger.journal.appendOnce(waits);
  return {
    healthy: judged.filter((one) => one.verdict === 'upgraded').length,
    waiting: waiting.length,
    nextLookAt: waiting.length === 0 ? null : nextLook(waiting, at, input.settings.healthPollInterval),
    toRestore: waiting.length === 0 ? toRestore : [],
    left: judged.filter((one) => one.verdict === 'left').length,
  };
}

/** At the next interval, or when the last wait ends if that is sooner; of one that is not configured yet nobody knows when. */
function nextLook(waiting: readonly Judged[], at: Instant, interval: number): Instant {
  const last = Math.max(...waiting.map((one) => one.nextAt));
  return last > at ? Math.min(at + interval, last) : at + interval;
}

/** Closes a batch of which instances were restored: what is seen in the fleet now is the outcome. */
export async function closeBatch(
  deps: ActivityDependencies,
  input: CloseBatchInput,
): Promise<{ restored: number; failed: number }> {
  const attempt = await refuseOvertaken(deps.ledger, input.attempt);
  const at = await currentTime(deps, input.at);
  const { judged } = await judgeBatch(deps, { attempt, input, at, restores: false });
  const errors = new Map(input.failures.map(({ instanceId, error }) => [instanceId, error]));
  const ended = judged.map((one) =>
    one.verdict === 'upgraded'
      ? one
      : { ...one, verdict: afterRestore(one, input), error: reasonOf(one, errors) },
  );
  // Only of those that were restored: asking for another one would begin its restore.
  const unrestored = ended.filter((one) => one.verdict === 'restoreFailed' && errors.has(one.instanceId));
  const final = await withRestoreErrors(deps, input, ended, unrestored);
  await recordOutcomes(deps, attempt, input, final, at);
  return {
    restored: final.filter((one) => one.verdict === 'restored').length,
    failed: final.filter((one) => one.verdict === 'restoreFailed' || one.verdict === 'left').length,
  };
}

/** The same instances, those that could not be restored with why. */
async function withRestoreErrors<One extends { instanceId: string }>(
  deps: ActivityDependencies,
  input: RollBackInput,
  all: readonly One[],
  unrestored: readonly One[],
): Promise<(One & { restoreError: string | null })[]> {
  const ids = unrestored.map((one) => one.instanceId);
  const errors = await restoreErrors(deps, input, ids);
  return all.map((one) => ({ ...one, restoreError: errors.get(one.instanceId) ?? null }));
}

/** Why it was restored; of one that was deleted meanwhile, that. */
function reasonOf({ instance, instanceId, error }: Judged, reasons: Map<string, string>): string | null {
  return instance === null ? error : (reasons.get(instanceId) ?? error);
}

/** Rule B7's roll-back and a repair put them back. */
function keepsFailedDisks(attempt: Attempt): boolean {
  return rollsBackOnBreach(attempt) || attempt.kind === 'repair';
}

function afterRestore({ instance, error }: Judged, { target }: BatchInput): InstanceOutcome {
  if (instance === null || isModelFault(error) || isSpared(error)) return 'left';
  return instance.osDisk !== null && !sameImageVersion(instance.osDisk.source, target)
    ? 'restored'
    : 'restoreFailed';
}

/**
 * Records how the restores of failed instances went that had been left until the policy was broken (rule B7). What is seen
 * in the fleet counts; an instance that is gone has no outcome to change.
 */
export async function closeRollBack(deps: ActivityDependencies, input: RollBackInput): Promise<void> {
  await refuseOvertaken(deps.ledger, input.attempt);
  const at = await currentTime(deps, input.at);
  const taken = await deps.ledger.attempts.instances(input.attempt.id);
  const errors = new Map(taken.map(({ instanceId, error }) => [instanceId, error]));
  const instances = await deps.fleet.instances(input.scaleSetId, at, input.instanceIds);
  const outcomes = instances.map(({ instanceId, osDisk }) => {
    const isBack = osDisk !== null && !sameImageVersion(osDisk.source, input.target);
    const outcome = isBack ? ('restored' as const) : ('restoreFailed' as const);
    return { instanceId, outcome, error: errors.get(instanceId) ?? null };
  });
  const unrestored = outcomes.filter(({ outcome }) => outcome === 'restoreFailed');
  const final = await withRestoreErrors(deps, input, outcomes, unrestored);
  await deps.ledger.attempts.amendOutcomes(input.attempt, final, at);
}

/** What a batch is judged by. */
interface Look {
  attempt: Attempt;
  input: HealthInput;
  at: Instant;
  /** Failed instances are to be restored. */
  restores: boolean;
}

async function judgeBatch(deps: ActivityDependencies, look: Look) {
  const { input, at } = look;
  // Null when the set was deleted: its instances are gone then, and the batch ends.
  const scaleSet = await deps.fleet.scaleSet(input.scaleSetId);
  const instances = await deps.fleet.instances(input.scaleSetId, at, input.instanceIds);
  const byId = new Map(instances.map((instance) => [instance.instanceId, instance]));
  const judged = input.instanceIds.map((id) => judge(id, byId.get(id) ?? null, look));
  return { scaleSet, judged };
}

/** The fleet begins nothing on one that was protected when its turn came: it is as it was before the attempt. */
function wasSpared({ configuredAt }: Instance, { startedAt }: Attempt): boolean {
  return configuredAt !== null && configuredAt < startedAt;
}

function judge(instanceId: string, instance: Instance | null, look: Look): Judged {
  const { attempt, input, at, restores } = look;
  const base = { instanceId, instance, nextAt: at, lines: [] };
  if (instance === null)
    return { ...base, verdict: 'left', error: 'InstanceNotFound: deleted while it was upgraded.' };
  if (wasSpared(instance, attempt)) {
    const error = 'InstanceProtected: protected when its turn came, and not touched.';
    return { ...base, verdict: 'left', error };
  }
  const bad = restores ? ('restore' as const) : ('left' as const);
  const onTarget = instance.osDisk !== null && sameImageVersion(instance.osDisk.source, input.target);
  // Whatever its extensions tell is of an earlier disk then.
  if (!onTarget) return { ...base, verdict: bad, error: 'NotOnTarget: it does not run the target version.' };
  const fault = instance.extensions.find((extension) => extension.error)?.error;
  const extensionError = fault ? `${fault.code}: ${fault.message}` : null;
  if (isModelFault(extensionError)) return { ...base, verdict: 'left', error: extensionError };
  if (instance.configuredAt === null) {
    // Its extensions still run, and the 5 minutes begin at their end.
    if (instance.provisioningState === 'Updating') return { ...base, verdict: 'waiting', error: null };
    return { ...base, verdict: bad, error: extensionError ?? 'NotConfigured: the model was not applied.' };
  }

  const { healthTimeout, healthyReadings = DEFAULT_SETTINGS.healthyReadings } = input.settings;
  const steadyAt = steadilyHealthyAt(instance, healthyReadings);
  const verdict = judgeHealth(instance.configuredAt, steadyAt, healthTimeout, at);
  const late =
    extensionError ?? `HealthTimeout: not healthy within ${healthTimeout / 1000} s of its last extension.`;
  return {
    ...base,
    lines: waitLines(verdict, late),
    verdict: verdict.kind === 'healthy' ? 'upgraded' : verdict.kind === 'waiting' ? 'waiting' : bad,
    nextAt: verdict.kind === 'waiting' ? verdict.nextAt : at,
    error: verdict.kind === 'timedOut' ? late : null,
  };
}

function waitLines(verdict: HealthVerdict, late: string): Judged['lines'] {
  const started = { at: verdict.from, event: 'started' as const, error: null };
  if (verdict.kind === 'waiting') return [started];
  return [
    started,
    verdict.kind === 'healthy'
      ? { at: verdict.at, event: 'succeeded', error: null }
      : { at: verdict.at, event: 'failed', error: late },
  ];
}

/** Called once all waits of a batch have ended. */
function tellWaits({ listener }: ActivityDependencies, judged: readonly Judged[]): void {
  for (const { lines } of judged) {
    const [started, ended] = lines;
    if (started && ended)
      listener?.healthWaitEnded?.({
        duration: ended.at - started.at,
        isHealthy: ended.event === 'succeeded',
      });
  }
}

function waitEntries(input: BatchInput, scaleSet: ScaleSet, judged: readonly Judged[]): JournalEntry[] {
  return judged.flatMap(({ instance, instanceId, lines }) =>
    lines.map((line) => ({
      ...line,
      operation: 'health.wait' as const,
      scaleSetId: scaleSet.id,
      instanceId,
      region: scaleSet.region,
      zone: instance?.zone ?? null,
      updateDomain: instance?.updateDomain ?? null,
      rolloutId: input.rolloutId,
      attemptId: input.attempt.id,
      fromVersion: null,
      toVersion: input.target.version,
      detail: null,
    })),
  );
}

async function recordOutcomes(
  { ledger, fleet }: ActivityDependencies,
  attempt: Attempt,
  input: BatchInput,
  judged: readonly Judged[],
  at: Instant,
  waits: readonly JournalEntry[] = [],
): Promise<void> {
  const outcomes = judged.map(({ instanceId, verdict, error, restoreError = null }) => ({
    instanceId,
    outcome: verdict as NonNullable<AttemptInstance['outcome']>,
    error,
    restoreError,
  }));
  const writer = { ...input.attempt, scaleSetId: input.scaleSetId };
  await ledger.attempts.closeBatch(writer, input.batch, outcomes, at, waits);
  // The previous disks go when the batch is judged (rule B4), but for those that a breach of the policy may yet bring back
  // (rule B7), and those that a repair needs.
  const isDone = ({ verdict, error }: Judged) =>
    verdict === 'upgraded' || (verdict === 'left' && (isModelFault(error) || !keepsFailedDisks(attempt)));
  const done = judged.filter(isDone).map((one) => one.instanceId);
  if (done.length > 0) await fleet.discardPreviousOsDisks(input.scaleSetId, done, at);
}
