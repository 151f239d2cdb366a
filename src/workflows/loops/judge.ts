import type { JudgeInput, JudgeResult } from '../../activities/types.ts';
import type { LoopWatch } from './host.ts';
import { patiently, unreachableReason, type OnWait } from './patience.ts';

/** Judges a phase (rules D2, D3). The VMs of a set that can't be read for long count as failed. */
export async function judge(
  watch: LoopWatch,
  input: JudgeInput,
  call: (input: JudgeInput) => Promise<JudgeResult>,
  onWait?: OnWait,
): Promise<JudgeResult> {
  const key = `${input.rolloutId}/${input.phase}`;
  try {
    return await patiently(watch, key, input, call, onWait);
  } catch (error) {
    if (unreachableReason(error) === null) throw error;
    return patiently(watch, key, { ...input, at: watch.now, countsUnreadable: true }, call, onWait);
  }
}
