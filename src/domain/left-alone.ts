import type { LeftAlone } from './goal.ts';
import type { StopReason } from './stop-codes.ts';

/** An instance that an attempt would have acted on, and did not touch. */
export interface LeftAloneInstance {
  instanceId: string;
  why: LeftAlone;
}

const LEFT_ALONE: Record<LeftAlone, { code: string; what: string }> = {
  protected: { code: 'InstanceProtected', what: 'protected' },
  quarantined: { code: 'InstanceQuarantined', what: 'in quarantine' },
  behindModel: { code: 'InstanceBehindModel', what: 'behind the model (rule C9)' },
  stopped: { code: 'InstanceNotRunning', what: 'not running (rule B3)' },
};

/** How many instances a sentence names. */
const MOST_NAMED = 10;

/**
 * Which instances a completed attempt did not touch, and why; null when there are none.
 * @param of all instances of the set
 */
export function describeLeftAlone(left: readonly LeftAloneInstance[], of: number): StopReason | null {
  const whys = (Object.keys(LEFT_ALONE) as LeftAlone[]).filter((why) => left.some((one) => one.why === why));
  if (whys.length === 0) return null;
  const parts = whys.map((why) => {
    const ids = left.filter((one) => one.why === why).map((one) => one.instanceId);
    return `${ids.length} ${LEFT_ALONE[why].what} (${idList(ids)})`;
  });
  return {
    code: whys.map((why) => LEFT_ALONE[why].code).join(','),
    message: `${left.length} of ${of} instances were left alone: ${parts.join(', ')}.`,
  };
}

function idList(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED;
  return ids.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
