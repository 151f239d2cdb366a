import {
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  setCurrentDetails,
  startChild,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ImagesLook } from '../activities/image-watch.ts';
import { virtualAt } from '../domain/clock.ts';
import { imageLabel } from '../domain/image.ts';
import { attributesOf } from '../temporal/search-attributes.ts';
import { looks, steps } from './activities.ts';
import { imageRollout } from './image-rollout.ts';
import type { ImageWatchInput, ImageWatchResult } from './messages.ts';

/**
 * One look at all images: starts the rollouts that are due (rules D6, D9). A schedule runs it every few minutes; what it starts
 * goes on by itself.
 */
export async function imageWatch({ clock, settings }: ImageWatchInput): Promise<ImageWatchResult> {
  const now = () => (clock ? virtualAt(clock, Date.now()) : 0);
  const look = await steps.lookAtImages({ at: now(), ...(settings ? { settings } : {}) });
  const started: string[] = [];
  for (const rollout of look.start) {
    if (await start(rollout, look)) started.push(rollout.id);
    // It has had its workflow, which somebody has ended from outside: the next look begins it anew, if it is still due.
    else await looks.closeOrphanedRollout({ rolloutId: rollout.id, at: now() });
  }
  setCurrentDetails(started.length === 0 ? 'Nothing was due' : `Started ${started.join(', ')}`);
  return { started };
}

async function start(
  { id, kind, target, phases, settings, startedBy }: ImagesLook['start'][number],
  { clock }: ImagesLook,
): Promise<boolean> {
  try {
    await startChild(imageRollout, {
      workflowId: id,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${imageLabel(target.image)} ${target.version}`.slice(0, 190),
      memo: { rolloutId: id, kind, target, startedBy },
      typedSearchAttributes: attributesOf(target),
      args: [{ v: 1, rolloutId: id, clock, target, phases, settings }],
    });
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return false;
  }
}
