import { goalOf } from '../activities/goal.ts';
import type { Instant } from '../domain/clock.ts';
import { wishesIn, type Goal, type Wish } from '../domain/goal.ts';
import type { Instance, ScaleSet } from '../domain/scale-set.ts';
import type { Rollout } from '../ledger/port.ts';
import { currentInstant, type ClientContext } from './context.ts';

/** An instance that an attempt would act on. */
export type ReachedInstance = Omit<Wish, 'why'>;

/** What an attempt on a set would do, instance by instance, by the rules that its workflow goes by. */
export interface Reach {
  /** When it was looked at. */
  at: Instant;
  goal: Goal;
  instances: Instance[];
  acts: ReachedInstance[];
  /** Wanted, and left alone since their owner protects them. */
  protected: string[];
  /** Wanted, and left alone since they do not run (rule B3). */
  stopped: string[];
  /** Wanted, and left alone since their restore failed: they are to be repaired first. */
  quarantined: string[];
  /** Wanted, and left to their owner, who has not brought them to their model (rule C9). */
  behindModel: string[];
}

/** Looks at a set as an attempt of that action would, by a person's start unless it says otherwise. Changes nothing. */
export async function reachOf(
  context: ClientContext,
  scaleSet: ScaleSet,
  rollout: Pick<Rollout, 'action' | 'target' | 'parameters'> & Partial<Pick<Rollout, 'kind'>>,
): Promise<Reach> {
  const at = await currentInstant(context);
  const [goal, instances] = await Promise.all([
    goalOf(context, { kind: 'manual', ...rollout }, scaleSet, at),
    context.fleet.instances(scaleSet.id, at),
  ]);
  const reach: Reach = {
    at,
    goal,
    instances,
    acts: [],
    protected: [],
    stopped: [],
    quarantined: [],
    behindModel: [],
  };
  for (const { why, ...wish } of wishesIn(goal, scaleSet, instances)) {
    if (why === null) reach.acts.push(wish);
    else reach[why].push(wish.instanceId);
  }
  return reach;
}

/** Instances that the attempt would be about, and that it leaves alone. */
export function leftAlone(reach: Reach): string[] {
  return [...reach.protected, ...reach.stopped, ...reach.quarantined, ...reach.behindModel];
}

/** The same as sentences: `Protected, so not touched: 3, 7.` */
export function leftAloneNotes(reach: Reach): string[] {
  const say = (ids: readonly string[], text: string) =>
    ids.length === 0 ? [] : [`${text}: ${ids.join(', ')}.`];
  return [
    ...say(reach.protected, 'Protected, so not touched'),
    ...say(reach.stopped, 'Not running, so not touched'),
    ...say(reach.quarantined, 'In quarantine, so not touched before `rollouts repair`'),
    ...say(
      reach.behindModel,
      'Behind the model, so not touched before `rollouts update-instances` (rule C9)',
    ),
  ];
}
