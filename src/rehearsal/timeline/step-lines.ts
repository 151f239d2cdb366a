import { isoTime, type Instant } from '../../domain/clock.ts';
import type { Step } from '../runtime.ts';
import { endText, vmList, type TimelineLine } from './journal-lines.ts';

/** A line, and what it is about: the same is not said twice in a row. Null: what was said before holds no more. */
export interface Said {
  key: string;
  line: TimelineLine | null;
}

type StepOf<A extends Step['activity']> = Extract<Step, { activity: A }>;

/** What a step tells a person beside what the journal says of it. */
export function stepLines(step: Step): Said[] {
  switch (step.activity) {
    case 'openPhase': {
      const { phase, round, regions } = step.input;
      const again = round > 1 ? ` again, round ${round}` : '';
      const { line } = said(step, `phase ${phase}`, `begins${again}: ${regions.join(', ')}`);
      // A phase whose workflow was terminated begins once more, which is news.
      return [{ key: `${step.processId} ${step.at}`, line }];
    }
    case 'startBake': {
      const { until } = step.result;
      if (until <= step.at) return [];
      return [said(step, `phase ${step.input.phase}`, `bakes until ${momentText(until, step.at)}`)];
    }
    case 'judgePhase':
      return [judged(step)];
    case 'setRolloutStatus': {
      const { status, reason } = step.input;
      if (status === 'Running') return [said(step, 'rollout', 'goes on')];
      const what = reason ? endText(status, `${reason.code}: ${reason.message}`) : status;
      return [said(step, 'rollout', what)];
    }
    case 'giveUpScaleSet': {
      return [said(step, placeOf(step.input), `is given up: ${step.result.reason?.message ?? ''}`)];
    }
    case 'lookAtRegion':
      return [regionLook(step)];
    case 'lookAtScaleSet':
      return [setLook(step)];
    default:
      return [];
  }
}

function judged(step: StepOf<'judgePhase'>): Said {
  const { verdict, withinTolerance } = step.result;
  const { eligible, succeeded, failed, failures } = verdict;
  const named = failures.slice(0, 3).join('; ') + (failures.length > 3 ? '; ...' : '');
  // Of failures that are not tolerated the halt tells, which comes next.
  const rest =
    failed === 0 ? '' : `, ${failed} failed${withinTolerance ? `, which is tolerated (${named})` : ''}`;
  const what = `judged: ${succeeded} of ${eligible} VMs are healthy on the version${rest}`;
  return said(step, `phase ${step.input.phase}`, what);
}

/** What every region waits for most of the time, which is no news. */
const ORDINARY = new Set(['', 'the upgrades of its scale sets', 'the next trigger']);

function regionLook(step: StepOf<'lookAtRegion'>): Said {
  const { region } = step.input;
  const { waitingFor, nextAt, done, cancelled } = step.result;
  if (done) return said(step, region, cancelled ? `ends: ${cancelled.message}` : 'is done');
  if (ORDINARY.has(waitingFor)) return { key: `${step.processId} ${region}`, line: null };
  return said(step, region, `waits for ${waitingFor}${untilText(nextAt, step.at)}`);
}

function setLook(step: StepOf<'lookAtScaleSet'>): Said {
  const where = placeOf(step.input);
  const look = step.result;
  switch (look.kind) {
    case 'wait':
      return said(step, where, `${waitText(look.what)}${untilText(look.until, step.at)}`);
    case 'rollBack':
      return said(
        step,
        where,
        `too many have failed: ${vmList(look.instanceIds)} ${look.instanceIds.length === 1 ? 'goes' : 'go'} back`,
      );
    case 'conflict':
      return said(step, where, `is not begun: ${look.reason.message}`);
    default:
      return { key: `${step.processId} ${where}`, line: null };
  }
}

function placeOf({ scaleSetId, region }: { scaleSetId: string; region: string }): string {
  return `${region}/${scaleSetId.split('/').at(-1)}`;
}

function said(step: Step, where: string, what: string): Said {
  return { key: `${step.processId} ${where}`, line: { at: step.at, where, vm: null, what } };
}

/** What a set waits for says itself that it waits, or is only a name. */
function waitText(what: string): string {
  return /\bwaits\b/.test(what) ? what : `waits: ${what}`;
}

function untilText(until: Instant | null, now: Instant): string {
  return until === null ? '' : `, until ${momentText(until, now)}`;
}

/** `10:41:07`, or `2026-01-06 10:41:07` on another day than today. */
export function momentText(at: Instant, now: Instant): string {
  const day = isoTime(at).slice(0, 10);
  return day === isoTime(now).slice(0, 10) ? clockTime(at) : `${day} ${clockTime(at)}`;
}

/** `10:41:07`: virtual time is always UTC here. */
export function clockTime(at: Instant): string {
  return isoTime(at).slice(11, 19);
}
