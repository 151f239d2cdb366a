import { beforeAll, describe, expect, it } from 'vitest';
import type { Case, Sent, SetCase } from './case.ts';
import { RUNS } from './properties.ts';
import { runCase, type Ran } from './run-case.ts';

/*
 * One rollout, and everything that people can send at every point of it: right after each call of an activity, which is also
 * when whoever called it has begun to wait. `npm run test:properties -- --runs 20000 --only every-point` takes every point; a
 * run of the tests as many as there is time for, spread over all of them.
 */

const set = (given: Partial<SetCase>): SetCase => ({
  region: 'eastus',
  zones: 2,
  capacity: 4,
  image: 'jammy',
  flexible: false,
  mode: 'Rolling',
  policy: null,
  noRollback: false,
  optedIn: true,
  health: 'extension',
  extensions: [],
  upToDate: false,
  protectedInstances: [],
  stoppedInstances: [],
  fabric: null,
  ...given,
});

const noGate = { tolerance: null, bake: null, approval: false };

/** A VM of the first phase never gets healthy, so that it halts; the second phase needs an approval; another image is in its pair. */
const GIVEN: Case = {
  seed: '1',
  sets: [
    set({}),
    set({ capacity: 2, zones: 3 }),
    set({ region: 'westus', capacity: 3 }),
    set({ region: 'westus3', capacity: 2, image: 'focal' }),
  ],
  rollouts: [
    {
      image: 'jammy',
      phaseWidth: 1,
      quick: true,
      tolerance: 0,
      healthTimeout: 5,
      chunkSize: 20,
      maxConcurrent: 50,
      gates: [noGate, { tolerance: 50, bake: 30, approval: true }],
    },
    {
      image: 'focal',
      phaseWidth: 1,
      quick: true,
      tolerance: 0,
      healthTimeout: 5,
      chunkSize: 20,
      maxConcurrent: 50,
      gates: [],
    },
  ],
  faults: [
    {
      kind: 'neverHealthy',
      set: 0,
      share: 0.3,
      from: 0,
      minutes: 0,
      times: 1,
      onNewOnly: true,
      effect: 'before',
      operation: 'any',
      forLong: false,
    },
  ],
  happenings: [],
  sends: [],
  kills: [],
  storeKills: [],
  decisions: ['proceed', 'proceed'],
  thinkingTime: 30,
  continueAsNewEvery: 0,
  instant: false,
};

const decide = (decision: 'proceed' | 'retry' | 'abort'): Sent => ({ do: 'decide', decision });
const rollout = { level: 'rollout', number: 0 } as const;
const pause = (level: 'rollout' | 'phase' | 'region' | 'scaleSet' | 'all'): Sent => ({
  do: 'pause',
  scope: { level, number: 0 },
  minutes: 50,
});

/** What is sent at once, and how the rollout may end then. Without an expectation: as the invariants allow. */
const MESSAGES: { name: string; send: Sent[]; ends?: (rollouts: string[], undisturbed: Ran) => boolean }[] = [
  { name: 'proceed', send: [decide('proceed')], ends: asUndisturbed },
  { name: 'retry', send: [decide('retry')] },
  { name: 'abort', send: [decide('abort')], ends: abortedOr(asUndisturbed) },
  {
    name: 'proceed, and abort at once',
    send: [decide('proceed'), decide('abort')],
    ends: abortedOr(asUndisturbed),
  },
  {
    name: 'abort, and proceed at once',
    send: [decide('abort'), decide('proceed')],
    ends: abortedOr(asUndisturbed),
  },
  {
    name: 'retry, and abort at once',
    send: [decide('retry'), decide('abort')],
    ends: abortedOr(asUndisturbed),
  },
  { name: 'look again', send: [{ do: 'lookAgain' }], ends: asUndisturbed },
  { name: 'pause everything', send: [pause('all')] },
  { name: 'pause the rollout', send: [pause('rollout')] },
  { name: 'pause the first phase', send: [pause('phase')] },
  { name: 'pause a region', send: [pause('region')] },
  { name: 'pause a set', send: [pause('scaleSet')] },
  { name: 'cancel', send: [{ do: 'cancel', scope: rollout }], ends: cancelledOr(asUndisturbed) },
  {
    name: 'cancel, and abort at once',
    send: [{ do: 'cancel', scope: rollout }, decide('abort')],
    ends: (ends, before) => cancelledOr(abortedOr(asUndisturbed))(ends, before),
  },
  { name: "Temporal's cancel of the rollouts", send: [{ do: 'temporalCancel', level: 'image' }] },
  { name: "Temporal's cancel of the phases", send: [{ do: 'temporalCancel', level: 'phase' }] },
  { name: "Temporal's cancel of the regions", send: [{ do: 'temporalCancel', level: 'region' }] },
  { name: "Temporal's cancel of the sets", send: [{ do: 'temporalCancel', level: 'scaleSet' }] },
  { name: 'terminate the rollouts', send: [{ do: 'terminate', level: 'image' }] },
  { name: 'terminate the phases', send: [{ do: 'terminate', level: 'phase' }] },
  { name: 'terminate the regions', send: [{ do: 'terminate', level: 'region' }] },
  { name: 'terminate the sets', send: [{ do: 'terminate', level: 'scaleSet' }] },
  { name: 'terminate the batches', send: [{ do: 'terminate', level: 'batch' }] },
  { name: 'terminate everything', send: [{ do: 'terminate', level: 'everything' }] },
];

type Expectation = NonNullable<(typeof MESSAGES)[number]['ends']>;

function asUndisturbed(rollouts: string[], undisturbed: Ran): boolean {
  return rollouts.join() === undisturbed.rollouts.join();
}

/** The first rollout is the one that waits for decisions. */
function abortedOr(otherwise: Expectation): Expectation {
  return (rollouts, undisturbed) => rollouts[0] === 'Cancelled Aborted' || otherwise(rollouts, undisturbed);
}

function cancelledOr(otherwise: Expectation): Expectation {
  return (rollouts, undisturbed) => rollouts[0] === 'Cancelled Cancelled' || otherwise(rollouts, undisturbed);
}

let undisturbed: Ran;
beforeAll(async () => {
  undisturbed = await runCase(GIVEN);
});

/** Calls at which a message is sent: every one, or as many as there is time for, other ones for each message. */
function pointsOf(message: number): number[] {
  const wanted = Math.max(1, Math.floor((RUNS * SHARE) / MESSAGES.length));
  const step = Math.max(1, Math.ceil(undisturbed.calls / wanted));
  const all = Array.from({ length: undisturbed.calls }, (_, call) => call);
  return all.filter((call) => call % step === (message * 7) % step);
}

/** Of all runs. */
const SHARE = 0.25;

describe('whatever is sent, wherever a rollout is (B12, D1, D2, D4)', () => {
  it('there is a halt and an approval to be decided on', () => {
    expect(undisturbed.rollouts).toEqual(['Completed', 'Completed']);
    expect(undisturbed.outcomes).toMatchObject({ 'VM restored': 1 });
  });

  it.each(MESSAGES.map((message, i) => ({ ...message, i })))('$name', async ({ send, ends, i }) => {
    const faults: string[] = [];
    for (const call of pointsOf(i)) {
      try {
        const ran = await runCase({ ...GIVEN, sends: send.map((what) => ({ ...what, call })) });
        if (ends && !ends(ran.rollouts, undisturbed)) faults.push(`at call ${call}: ${ran.rollouts.join()}`);
      } catch (error) {
        faults.push(`at call ${call}: ${String(error)}`);
      }
    }
    expect(faults).toEqual([]);
  });
});
