import { imageLabel } from '../../domain/image.ts';
import type { Instance } from '../../domain/scale-set.ts';
import type { AttemptFacts, Course, Facts } from './facts.ts';
import type { ExplainedAttempt, ExplainedRollout, ExplainedSet } from './types.ts';
import { progressOf } from './verdict.ts';

/** What the set is, what it runs and what it is upgraded by. */
export function setOf({ scaleSet, target, source, reach, policy, open }: Facts): ExplainedSet {
  const { id, name, region, imageReference, upgradePolicy } = scaleSet;
  const { enableAutomaticOSUpgrade, disableAutomaticRollback } = upgradePolicy.automaticOSUpgradePolicy;
  return {
    id,
    name,
    region,
    image: imageLabel(imageReference.image),
    imageVersion: imageReference.version,
    target: { image: imageLabel(target.image), version: target.version, from: source },
    runs: versionsOf(reach.instances),
    mode: upgradePolicy.mode,
    automatic: enableAutomaticOSUpgrade,
    policy,
    restoresOnFailure: open?.attempt.restoresOnFailure ?? !disableAutomaticRollback,
  };
}

function versionsOf(instances: readonly Instance[]): ExplainedSet['runs'] {
  const counts = new Map<string, ExplainedSet['runs'][number]>();
  for (const { osDisk } of instances) {
    const image = osDisk === null ? '' : imageLabel(osDisk.source.image);
    const version = osDisk?.source.version ?? null;
    const key = `${image} ${version}`;
    const there = counts.get(key) ?? { image, version, instances: 0 };
    counts.set(key, { ...there, instances: there.instances + 1 });
  }
  return [...counts.values()].toSorted((a, b) => b.instances - a.instances);
}

export function rolloutOf({ rollout, target, phase }: Course): ExplainedRollout {
  const { id, status, reason, startedBy, startedAt, endedAt, phases } = rollout;
  const name = phase === null ? undefined : phases[phase - 1]?.name;
  return {
    ...{ id, status, reason, startedBy, startedAt, endedAt },
    phase: phase === null ? null : { number: phase, name: name ?? 'regions', of: phases.length },
    target: target && {
      status: target.status,
      seenAt: target.seenAt,
      triggerAt: target.triggerAt,
      round: target.round,
      reason: target.reason,
    },
  };
}

export function attemptOf(facts: AttemptFacts): ExplainedAttempt {
  const { id, number, kind, status, reason, target, startedBy, startedAt, endedAt } = facts.attempt;
  const who = startedBy === 'Platform' ? 'Platform' : (facts.rollout?.startedBy ?? 'unknown');
  return {
    ...{ id, number, kind, status, reason },
    version: target.version,
    who,
    startedAt,
    endedAt,
    ...progressOf(facts),
  };
}
