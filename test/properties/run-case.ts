import { windDownAttempt } from '../../src/activities/wind-down.ts';
import { DAY, MINUTE } from '../../src/domain/clock.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import type { Case } from './case.ts';
import type { OpenEngine } from './engine.ts';
import { START, phasesOf, settingsOf, targetOf } from './fleet.ts';
import { decideOnAll, schedule, sendAt, type Stage } from './happenings.ts';
import { interpreted } from './interpreted.ts';
import { Invariants } from './invariants.ts';

/** Virtual time after which something must have gone wrong. */
const LIMIT = 20 * DAY;

/** What a run did, for those who want to know whether the cases are any good. */
export interface Ran {
  steps: number;
  /** Calls of activities, which are the points at which something can be sent. */
  calls: number;
  outcomes: Record<string, number>;
  /** How each rollout ended: `Cancelled Aborted`. */
  rollouts: string[];
  /** How each VM ended: `set-0/3 22.04.202512050 upgraded`. */
  instances: string[];
}

/**
 * Rolls out as a case says, on the workers' own code in virtual time, and checks all that has to hold: at every step, at the
 * end, and from the journal alone.
 * @throws Error that names every invariant that was violated
 */
export async function runCase(given: Case, open: OpenEngine = interpreted): Promise<Ran> {
  let steps = 0;
  let calls = 0;
  const engine = await open({
    given,
    limit: LIMIT,
    onStep: async (step) => {
      steps++;
      await invariants.afterStep(step);
    },
    onCall: (call) => {
      calls = call + 1;
      sendAt(stage, call);
    },
    onTermination: () => (stage.wasTerminated = true),
  });
  const { fleet, ledger } = engine;
  const stage: Stage = { given, fleet, ledger, engine, rollouts: [], answered: [], wasTerminated: false };
  const invariants = new Invariants(stage);
  try {
    await invariants.begin();
    await startRollouts(stage);
    schedule(stage);
    await untilAllHasEnded(stage);
    await invariants.end();
    const [outcomes, rollouts, instances] = [
      await outcomesOf(stage),
      await rolloutEnds(stage),
      await instancesOf(stage),
    ];
    return { steps, calls, outcomes, rollouts, instances };
  } finally {
    await engine.close();
  }
}

async function startRollouts({ given, ledger, engine, rollouts }: Stage): Promise<void> {
  const images = new Set<string>();
  for (const wanted of given.rollouts) {
    const phases = phasesOf(wanted, given.sets);
    if (images.has(wanted.image) || phases.length === 0) continue;
    images.add(wanted.image);
    const target = targetOf(wanted.image);
    const rollout = await ledger.rollouts.create({
      id: imageRolloutId(target, 1),
      kind: wanted.image === 'gallery' ? 'gallery' : 'platform',
      target,
      generation: 1,
      phases,
      settings: settingsOf(wanted, given),
      startedBy: 'test',
      startedAt: START,
    });
    rollouts.push(rollout);
    await engine.start(rollout);
  }
}

/** Lets everything come to its end, with people deciding where one is asked for, and mending what was terminated. */
async function untilAllHasEnded(stage: Stage): Promise<void> {
  const { engine, ledger, fleet, given } = stage;
  const { workflows } = engine;
  const decisions = [...given.decisions];
  for (;;) {
    const end = await engine.run();
    if (end === 'outOfTime')
      throw new Error(`It goes on for ever:\n  ${(await engine.waits()).join('\n  ')}`);
    if (end === 'waitsForDecision') {
      engine.at(engine.now + given.thinkingTime * MINUTE, () => {});
      await engine.run();
      const decision = decisions.shift() ?? 'abort';
      await decideOnAll(stage, decision);
      continue;
    }
    const open = await ledger.attempts.listOpen();
    if (open.length === 0) return;
    // Nobody acts for them since all was terminated: somebody runs `rollouts repair`.
    for (const attempt of open) await windDownAttempt({ fleet, ledger, workflows }, attempt);
  }
}

async function outcomesOf({ ledger, rollouts }: Stage): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const count = (what: string) => (counts[what] = (counts[what] ?? 0) + 1);
  for (const { id, action } of rollouts) {
    const rollout = await ledger.rollouts.get(id);
    count(`${action} ${rollout?.status}`);
  }
  for (const attempt of await ledger.attempts.listOf({})) {
    count(`attempt ${attempt.status} ${attempt.reason?.code ?? ''}`.trim());
    for (const { outcome } of await ledger.attempts.instances(attempt.id)) count(`VM ${outcome}`);
  }
  return counts;
}

async function rolloutEnds({ ledger, rollouts }: Stage): Promise<string[]> {
  const ended = await Promise.all(rollouts.map(({ id }) => ledger.rollouts.get(id)));
  return ended.map((rollout) => `${rollout?.status} ${rollout?.reason?.code ?? ''}`.trim());
}

async function instancesOf({ fleet, ledger, engine }: Stage): Promise<string[]> {
  const lines: string[] = [];
  for (const { id, name } of await fleet.scaleSets()) {
    const outcomes = new Map<string, (string | null)[]>();
    for (const attempt of await ledger.attempts.listOf({ scaleSetId: id })) {
      for (const { instanceId, outcome } of await ledger.attempts.instances(attempt.id)) {
        outcomes.set(instanceId, [outcome, ...(outcomes.get(instanceId) ?? [])]);
      }
    }
    for (const { instanceId, osDisk } of await fleet.instances(id, engine.now)) {
      const version = osDisk?.source.version ?? 'without a disk';
      lines.push([`${name}/${instanceId}`, version, ...(outcomes.get(instanceId) ?? [])].join(' '));
    }
  }
  return lines;
}
