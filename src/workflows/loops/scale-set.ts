import type { AttemptRef, RollBackInput, ScaleSetLook, ScaleSetLookInput } from '../../activities/types.ts';
import type { BatchUpgradeInput, ScaleSetRolloutInput, ScaleSetRolloutResult } from '../messages.ts';
import { eachChunk } from './chunks.ts';
import type { LoopHost } from './host.ts';
import { unreachableReason } from './patience.ts';

export interface ScaleSetHost extends LoopHost {
  workflow: ScaleSetLookInput['workflow'];
  /**
   * Runs a batch to its end, or until somebody ended its workflow by hand: the next look knows how things stand.
   * @param place for people: `zone 1, update domain 2, 4 VMs`
   */
  runBatch(input: BatchUpgradeInput, place: string): Promise<void>;
  /** Called between two steps: a history that has grown long is ended here, and the attempt handed on. */
  handOver(attempt: AttemptRef | undefined): Promise<void>;
}

/**
 * Upgrades one scale set: look (observe and decide), act, look again. Everything that it knows is in the fleet and the
 * ledger, so that a run that was terminated is followed by one that goes on where it stood. A set that the cloud's API does
 * not answer for is given up in the end.
 */
export async function upgradeScaleSet(
  input: ScaleSetRolloutInput,
  host: ScaleSetHost,
): Promise<ScaleSetRolloutResult> {
  try {
    return await lookAndAct(input, host);
  } catch (error) {
    const why = unreachableReason(error);
    if (why === null) throw error;
    const { rolloutId, scaleSetId, region } = input;
    return host.looks.giveUpScaleSet({ rolloutId, scaleSetId, region, why, at: host.watch.now });
  }
}

async function lookAndAct(input: ScaleSetRolloutInput, host: ScaleSetHost): Promise<ScaleSetRolloutResult> {
  const { watch } = host;
  let attempt: AttemptRef | undefined = input.attempt;
  for (;;) {
    const look: ScaleSetLook = await host.looks.lookAtScaleSet(lookInput(input, attempt, host));
    attempt = look.attempt;
    switch (look.kind) {
      case 'batch':
        await runBatch(input, look, host);
        break;
      case 'rollBack':
        await rollBack(input, look, host);
        break;
      case 'wait': {
        const until = look.until ?? watch.now + input.settings.fallbackPoll;
        await watch.waitFor(look.what, until, progressLine(look), look.lookAgainAt);
        break;
      }
      case 'finished':
        if (look.foreign && !input.windDown) {
          attempt = undefined;
          break;
        }
        return { status: look.status, reason: look.reason, progress: look.progress };
      case 'conflict':
        return { status: 'Conflict', reason: look.reason, progress: look.progress };
    }
    await host.handOver(attempt);
  }
}

function lookInput(
  input: ScaleSetRolloutInput,
  attempt: AttemptRef | undefined,
  { watch, workflow }: ScaleSetHost,
): ScaleSetLookInput {
  return {
    rolloutId: input.rolloutId,
    scaleSetId: input.scaleSetId,
    phase: input.phase,
    region: input.region,
    workflow,
    ...(attempt ? { attempt } : {}),
    cancelRequested: watch.cancelRequested,
    windDown: input.windDown ?? false,
    at: watch.now,
  };
}

async function runBatch(
  input: ScaleSetRolloutInput,
  look: Extract<ScaleSetLook, { kind: 'batch' }>,
  host: ScaleSetHost,
): Promise<void> {
  const place = [
    look.zone === null ? null : `zone ${look.zone}`,
    look.updateDomain === null ? null : `update domain ${look.updateDomain}`,
    `${look.instanceIds.length} VMs`,
  ].filter((part) => part !== null);
  host.watch.doing(`Batch ${look.batch}: ${place.join(', ')}\n\n${progressLine(look)}`);
  const batch: BatchUpgradeInput = {
    v: 1,
    rolloutId: look.rolloutId,
    scaleSetId: input.scaleSetId,
    region: input.region,
    clock: input.clock,
    target: look.target,
    attempt: look.attempt,
    batch: look.batch,
    zone: look.zone,
    updateDomain: look.updateDomain,
    action: look.action,
    instanceIds: look.instanceIds,
    restoresOnFailure: look.restoresOnFailure,
    settings: input.settings,
  };
  await host.runBatch(batch, place.join(', '));
}

/** Rule B7: what failed and was left gets its previous OS disk back before the attempt ends. */
async function rollBack(
  input: ScaleSetRolloutInput,
  look: Extract<ScaleSetLook, { kind: 'rollBack' }>,
  { watch, step, looks }: ScaleSetHost,
): Promise<void> {
  const { rolloutId, attempt, target, instanceIds } = look;
  const { scaleSetId } = input;
  const of = (ids: string[], at: number): RollBackInput => ({
    rolloutId,
    scaleSetId,
    attempt,
    target,
    instanceIds: ids,
    at,
  });
  watch.doing(`Restoring ${instanceIds.length} failed VMs: the policy is broken\n\n${progressLine(look)}`);
  await eachChunk(watch, instanceIds, input.settings.chunkSize, 'restored OS disks', (ids, at) =>
    step('restoreOsDisks', of(ids, at), `restore ${ids.length} disks`),
  );
  await looks.closeRollBack(of(instanceIds, watch.now));
}

function progressLine({ progress }: ScaleSetLook): string {
  return `${progress.successfulInstanceCount} upgraded, ${progress.failedInstanceCount} failed, ${progress.inProgressInstanceCount} in progress, ${progress.pendingInstanceCount} pending`;
}
