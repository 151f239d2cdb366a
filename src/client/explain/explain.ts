import { currentInstant, type ClientContext } from '../context.ts';
import { findInstance } from '../find.ts';
import { requireInstances } from '../fleet-changes.ts';
import { adviceOf } from './advice.ts';
import { attemptOf, rolloutOf, setOf } from './describe.ts';
import { gatherFacts, type Facts } from './facts.ts';
import { groupByProblem, groupByState } from './groups.ts';
import { explainInstances, observed } from './instances.ts';
import { newerVersions } from './newer.ts';
import { courseReasons, standingReasons, stopReason, warningsOf } from './reasons.ts';
import { askActing } from './temporal.ts';
import type { ExplainedInstance, ExplainRequest, Explanation, TemporalWord, Verdict } from './types.ts';
import { verdictOf, type Findings } from './verdict.ts';
import { explainWaits } from './waits.ts';

/**
 * Why a scale set, or one of its instances, is, is not, or is not yet upgraded; what it waits for, since when and until when;
 * and what would change that. Changes nothing, and needs no Temporal server.
 * @throws UsageError for a set, instance, image or version that there is not
 */
export async function explain(context: ClientContext, request: ExplainRequest): Promise<Explanation> {
  const { scaleSet, instanceId } = await findInstance(context, request.id);
  const facts = await gatherFacts(context, scaleSet, request, await currentInstant(context));
  if (instanceId !== null) requireInstances(scaleSet, facts.reach.instances, [instanceId]);
  const found = examine(facts);
  const { kind } = found.verdict;
  const isMoving = kind === 'upgrading' || kind === 'waiting';
  const temporal: TemporalWord = isMoving ? await askActing(context, facts) : { kind: 'notAsked' };
  return explanationOf(facts, found, temporal, instanceId);
}

interface Examined extends Findings {
  verdict: Verdict;
}

/** Everything that is decided, before anybody is asked. */
function examine(facts: Facts): Examined {
  const instances = explainInstances(facts);
  const found = { instances, ...against(facts, instances) };
  return { ...found, verdict: verdictOf(facts, found) };
}

/** @param instanceId of the instance that was asked for; null for the set as a whole */
function explanationOf(
  facts: Facts,
  found: Examined,
  temporal: TemporalWord,
  instanceId: string | null,
): Explanation {
  const { instances, verdict, reasons, waits } = found;
  const one = instances.find((each) => each.instanceId === instanceId);
  const groups = groupByState(facts.called, instances);
  const warnings = warningsOf(facts, observed(facts));
  const newer = newerVersions(facts);
  return {
    now: facts.now,
    scaleSet: setOf(facts),
    verdict,
    reasons: [...reasons],
    warnings,
    waitsFor: [...waits],
    rollout: facts.course && rolloutOf(facts.course),
    attempt: facts.newest && attemptOf(facts.newest),
    instances: {
      total: instances.length,
      healthy: instances.filter((each) => each.healthy).length,
      groups,
      unhealthy: groupByProblem(instances),
    },
    ...(one === undefined ? {} : { instance: one }),
    newer,
    temporal,
    advice: adviceOf(facts, {
      ...{ verdict, reasons, warnings, waitsFor: waits, newer, temporal },
      groups: one === undefined ? groups : groupByState(facts.called, [one]),
      concerns: one === undefined ? instances : [one],
    }),
  };
}

/** What is against an upgrade, and what holds it up: nothing is waited for where nothing is about to happen. */
function against(facts: Facts, instances: readonly ExplainedInstance[]): Omit<Findings, 'instances'> {
  const standing = standingReasons(facts);
  if (facts.open !== null) return { stop: null, reasons: standing, waits: explainWaits(facts) };
  if (instances.every(({ state }) => state === 'onVersion')) {
    return { stop: null, reasons: standing, waits: [] };
  }
  const stop = stopReason(facts);
  const waits = standing.length > 0 && stop === null ? [] : explainWaits(facts);
  const isLeftOut = instances.some(({ state }) => state === 'pending' || state === 'failed');
  const isIdle = waits.length === 0 && stop === null && standing.length === 0;
  const reasons = [
    ...(stop === null ? [] : [stop]),
    ...standing,
    ...(isIdle && isLeftOut ? courseReasons(facts) : []),
  ];
  return { stop, reasons, waits };
}
