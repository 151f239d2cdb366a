import { ATTEMPT_KINDS } from '../../domain/attempt-kinds.ts';
import { humanDuration } from '../../domain/clock.ts';
import { APPROVAL_NEEDED } from '../../domain/phase-gate.ts';
import { ALL, phaseScope, regionScope, rolloutScope, scaleSetScope } from '../../domain/scopes.ts';
import type { PhaseRecord } from '../../ledger/port.ts';
import { cancelCommand } from '../give.ts';
import { count, endedSets, eligibleSets } from '../view/words.ts';
import {
  pairWaits,
  pausesOf,
  phaseWaits,
  rolloutWaits,
  scaleSetWait,
  triggerWaits,
  waitFor,
  windowWaits,
  type Holds,
} from '../view/waits.ts';
import type { Wait, WaitKind } from '../view/index.ts';
import { currentRounds } from '../../activities/workflows-in-scope.ts';
import { openUpgrade, type AttemptFacts, type Course, type Facts } from './facts.ts';
import type { ExplainedWait } from './types.ts';

/** The rule behind each wait, where it is one of the numbered ones. */
const RULES: Record<WaitKind, string> = {
  trigger: 'D6',
  bake: 'D3',
  resume: '',
  decision: 'D2',
  approval: 'D2',
  zone: 'D4',
  geoPair: 'D1',
  batchPause: 'B9',
  window: 'D10',
  phase: 'D2',
  room: '',
  attempt: 'B12',
  look: '',
  worker: '',
};

/** Everything that holds the upgrade up now; what has to end first stands first. Empty where nothing is about to happen. */
export function explainWaits(facts: Facts): ExplainedWait[] {
  const placed = facts.open !== null ? waitsOfOpen(facts, facts.open) : waitsOfCourse(facts);
  return placed.map(({ where, wait }) => ({
    where,
    ...wait,
    remaining: wait.until === null ? null : Math.max(0, wait.until - facts.now),
    rule: RULES[wait.kind],
  }));
}

interface Placed {
  where: string;
  wait: Wait;
}

const at = (where: string, waits: readonly Wait[]): Placed[] => waits.map((wait) => ({ where, wait }));

/** Something is done to the set: the upgrade itself, or what it has to wait for (rule B12). */
function waitsOfOpen(facts: Facts, open: AttemptFacts): Placed[] {
  const { attempt, rollout, batches } = open;
  const { name } = facts.scaleSet;
  const other = openUpgrade(facts) === null ? at(name, [endOf(open)]) : [];
  if (rollout === null) return other;
  const holds = facts.holds(rollout);
  const phase = facts.course?.rollout.id === rollout.id ? facts.course.phase : null;
  const paused = pauses(facts, holds, phase);
  const wait = scaleSetWait(holds, attempt, batches.at(-1));
  const own = wait === null || wait.kind === 'resume' ? [] : [wait];
  return [...other, ...paused, ...at(name, own)];
}

function endOf({ attempt, rollout }: AttemptFacts): Wait {
  const by = rollout === null ? '' : ` by ${rollout.startedBy}`;
  const what = `the end of attempt ${attempt.number} (${ATTEMPT_KINDS[attempt.kind].name}, ${attempt.target.version}${by})`;
  // A rollout over the fleet is not to be ended for one set's sake.
  const command = rollout?.kind === 'manual' ? cancelCommand(rollout.id) : null;
  return waitFor('attempt', what, { since: attempt.startedAt, command });
}

/** Every pause above the set and on it: each has to be taken back. */
function pauses({ scaleSet: { id, name, region } }: Facts, holds: Holds, phase: number | null): Placed[] {
  const rolloutId = holds.rollout.id;
  return [
    ...at('everything', pausesOf(holds, [ALL])),
    ...at('rollout', pausesOf(holds, [rolloutScope(rolloutId)])),
    ...(phase === null ? [] : at(`phase ${phase}`, pausesOf(holds, [phaseScope(rolloutId, phase)]))),
    ...at(region, pausesOf(holds, [regionScope(rolloutId, region)])),
    ...at(name, pausesOf(holds, [scaleSetScope(id)])),
  ];
}

/** Nothing is done to the set yet: what of the rollout comes before it. */
function waitsOfCourse(facts: Facts): Placed[] {
  const { course, begun } = facts;
  if (begun !== null) {
    const look = waitFor('look', `a worker that takes up what ${begun.startedBy} started`, {
      since: begun.startedAt,
    });
    return [...pauses(facts, facts.holds(begun), null), ...at(facts.scaleSet.name, [look])];
  }
  if (course === null || course.phase === null || course.rollout.endedAt !== null) return [];
  const holds = facts.holds(course.rollout);
  // One that was stopped may yet have another turn, if a person decides so.
  if (course.target?.status === 'stopped') return decisionOf(course, holds);
  const before = stepsBefore(facts, course, course.phase, holds);
  return before.length === 0
    ? []
    : [...decisionOf(course, holds), ...pauses(facts, holds, course.phase), ...before];
}

/** A halted rollout goes nowhere before a person has decided (rule D2). */
function decisionOf({ rollout, records }: Course, holds: Holds): Placed[] {
  return rollout.status === 'Halted' ? at('rollout', rolloutWaits(holds, records)) : [];
}

function stepsBefore(facts: Facts, course: Course, phase: number, holds: Holds): Placed[] {
  const { target, records, rollout } = course;
  const { region } = facts.scaleSet;
  if (target?.status === 'waiting') return beforeTrigger(facts, course, target, holds);
  if (target?.status === 'upgrading')
    return at(facts.scaleSet.name, [waitFor('look', 'the first look of its workflow')]);
  if (target?.status === 'upgraded') return [];
  const record = records.filter((one) => one.phase === phase).at(-1);
  if (record === undefined) return beforePhase(course, phase, holds);
  const isUnderWay = currentRounds(records).includes(record) && record.bakeUntil === null;
  const within = humanDuration(rollout.settings.fallbackPoll);
  const look = waitFor('look', `the next look of its region, within ${within}`, { since: record.startedAt });
  return isUnderWay ? at(region, [look]) : [];
}

/** Rules D6, D10 and D1, and the room of its region. */
function beforeTrigger(
  { scaleSet }: Facts,
  { rollout, upgrading }: Course,
  target: NonNullable<Course['target']>,
  holds: Holds,
): Placed[] {
  const { region, name } = scaleSet;
  const ahead = [
    ...at(name, triggerWaits(holds, 'its trigger', target)),
    ...at(name, target.triggerAt <= holds.now ? windowWaits(holds, target, target.triggerAt) : []),
    ...at(region, pairWaits(holds, region)),
  ];
  if (ahead.length > 0) return ahead;
  const since = target.triggerAt;
  const most = rollout.settings.maxConcurrentScaleSets;
  const full = `room in ${region}: ${count(upgrading, 'scale set')} under way, ${most} at a time`;
  return at(region, [
    upgrading >= most
      ? waitFor('room', full, { since })
      : waitFor('look', 'the next look of its region', { since }),
  ]);
}

/** The phases before its own have to pass first (rule D2). */
function beforePhase({ rollout, records, before }: Course, phase: number, holds: Holds): Placed[] {
  const nameOf = (number: number) => `phase ${number} (${rollout.phases[number - 1]?.name ?? 'regions'})`;
  const current = records.at(-1);
  const standing =
    current === undefined
      ? 'none has begun'
      : `${nameOf(current.phase)} ${standingOf(holds, current, before)}`;
  const since = rollout.startedAt;
  return [
    ...at('rollout', [waitFor('phase', `${nameOf(phase)}: ${standing}`, { since })]),
    ...(current === undefined || rollout.status === 'Halted'
      ? []
      : at(`phase ${current.phase}`, phaseWaits(holds, current))),
  ];
}

function standingOf({ rollout }: Holds, record: PhaseRecord, sets: Course['before']): string {
  if (rollout.status === 'Halted' && rollout.reason?.code !== APPROVAL_NEEDED) return 'is halted';
  if (record.judgedAt !== null) return 'has passed';
  if (record.bakeUntil !== null) return 'bakes';
  return sets === null
    ? 'is under way'
    : `is under way, ${endedSets(sets)} of ${count(eligibleSets(sets), 'scale set')} done`;
}
