import fc from 'fast-check';
import { DURABILITIES } from '../../src/domain/scale-set.ts';
import type { DecisionKind } from '../../src/ledger/port.ts';
import {
  REGIONS,
  type Case,
  type FaultCase,
  type GateCase,
  type Happening,
  type ImageName,
  type Kill,
  type PolicyCase,
  type RolloutCase,
  type RuleCase,
  type ScopeCase,
  type Send,
  type SetCase,
  type StoreKill,
} from './case.ts';
import type { FabricCase } from './fabric.ts';

/* How fast-check makes the cases. */

const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
const mostly = <T>(usual: T, ...others: T[]) =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(usual) }, ...others.map((one) => fc.constant(one)));
const small = (max: number, weights = 3) =>
  fc.oneof({ weight: weights, arbitrary: fc.nat({ max: Math.min(10, max) }) }, fc.nat({ max }));
/** Any number from `min` to `max`, each as likely: fast-check itself prefers short lists. */
const many = <T>(one: fc.Arbitrary<T>, min: number, max: number) =>
  fc.array(one, { minLength: min, maxLength: max, size: 'max' });
const fewOf = (max: number) => fc.array(fc.nat({ max }), { maxLength: 3 });

const policyCase: fc.Arbitrary<PolicyCase> = record({
  maxBatchInstancePercent: fc.constantFrom(20, 5, 34, 50, 100),
  maxUnhealthyInstancePercent: fc.constantFrom(20, 5, 50, 100),
  maxUnhealthyUpgradedInstancePercent: fc.constantFrom(20, 0, 50, 100),
  pause: fc.constantFrom(0, 1, 10),
  enableCrossZoneUpgrade: fc.boolean(),
  prioritizeUnhealthyInstances: fc.boolean(),
  rollbackFailedInstancesOnPolicyBreach: fc.boolean(),
});

const fabricCase: fc.Arbitrary<FabricCase> = record({
  durability: fc.constantFrom(...DURABILITIES),
  stateless: fc.boolean(),
  mismatched: mostly(false, true),
  oldHandler: mostly(false, true),
});

/** How large the fleets are. */
export interface Sizes {
  sets: { min: number; max: number };
  /** What a set's is one of. */
  capacities: readonly number[];
}

const ANY: Sizes = { sets: { min: 1, max: 6 }, capacities: [6, 0, 1, 3, 5, 9, 10, 12, 15, 20, 27, 40] };

/** Few sets, each large enough for batches of several, so that much comes together on one. */
const CONTESTED: Sizes = { sets: { min: 2, max: 3 }, capacities: [10, 12, 15, 20] };

const setCase = (capacities: readonly number[]): fc.Arbitrary<SetCase> =>
  record({
    region: fc.constantFrom(...REGIONS),
    zones: fc.nat({ max: 3 }),
    capacity: fc.constantFrom(...capacities),
    image: mostly<ImageName>('jammy', 'focal', 'gallery'),
    flexible: mostly(false, true),
    mode: fc.constantFrom('Rolling', 'Manual', 'Automatic'),
    policy: fc.option(policyCase, { freq: 2 }),
    noRollback: mostly(false, true),
    optedIn: mostly(true, false),
    health: mostly<SetCase['health']>('probe', 'extension', 'extension', 'none'),
    extensions: fc.uniqueArray(fc.constantFrom('app', 'agent', 'download'), { maxLength: 2 }),
    upToDate: mostly(false, true),
    protectedInstances: fewOf(12),
    stoppedInstances: fc.oneof({ weight: 4, arbitrary: fc.constant<number[]>([]) }, fewOf(12)),
    fabric: fc.oneof({ weight: 12, arbitrary: fc.constant(null) }, fabricCase),
  });

const gateCase: fc.Arbitrary<GateCase> = record({
  tolerance: fc.constantFrom(null, 0, 30, 100),
  bake: fc.constantFrom(null, 0, 5, 90),
  approval: mostly(false, true, true),
});

const rolloutCase: fc.Arbitrary<RolloutCase> = record({
  image: mostly<ImageName>('jammy', 'focal', 'gallery'),
  phaseWidth: fc.integer({ min: 1, max: 3 }),
  quick: fc.boolean(),
  tolerance: fc.constantFrom(0, 10, 100),
  healthTimeout: fc.constantFrom(5, 2, 10),
  chunkSize: fc.constantFrom(20, 1, 3),
  maxConcurrent: fc.constantFrom(50, 1, 2),
  gates: fc.oneof(fc.constant<GateCase[]>([]), fc.array(gateCase, { maxLength: 3 })),
});

const faultCase: fc.Arbitrary<FaultCase> = record({
  kind: fc.constantFrom(
    ...([
      'neverHealthy',
      'neverHealthy',
      'slowHealth',
      'slowBoot',
      'extensionFails',
      'swapFails',
      'restoreFails',
    ] as const),
    ...(['credentialExpired', 'resourceGone', 'outage', 'apiError'] as const),
  ),
  set: fc.option(fc.nat({ max: 5 })),
  share: fc.constantFrom(0.1, 0.3, 0.6, 1),
  from: small(180),
  minutes: small(120),
  times: fc.integer({ min: 1, max: 3 }),
  onNewOnly: mostly(true, false),
  effect: fc.constantFrom('before', 'after', 'throttled'),
  operation: fc.constantFrom(
    ...(['osDisk.swap', 'model.apply', 'extension.run', 'osDisk.restore', 'reads', 'any'] as const),
  ),
  forLong: mostly(false, true),
});

/** One set of which the API does not answer any more, for so long that it is given up: when its disks have been swapped. */
const unreachableCase: fc.Arbitrary<FaultCase> = faultCase.map((fault) => ({
  ...fault,
  ...{ kind: 'apiError', set: 0, effect: 'before', operation: 'model.apply', times: 1, forLong: true },
}));

const at = small(240, 2);
const set = fc.nat({ max: 5 });
const scope: fc.Arbitrary<ScopeCase> = record({
  level: fc.constantFrom('scaleSet', 'region', 'phase', 'rollout', 'all'),
  number: fc.nat({ max: 5 }),
});

const ruleCase: fc.Arbitrary<RuleCase> = record({
  kind: fc.constantFrom(...(['window', 'window', 'freeze', 'override'] as const)),
  // Rollouts begin at 10:00 UTC.
  start: fc.constantFrom('10:30', '11:00', '12:00', '00:00', '09:00'),
  length: fc.constantFrom(5, 30, 60, 600),
  zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata'),
});

/** What a person starts on a set. */
const manual: fc.Arbitrary<Happening> = record({
  at,
  do: fc.constant('manual' as const),
  set,
  action: fc.constantFrom(...(['osUpgrade', 'modelUpdate', 'modelUpgrade', 'revert', 'repair'] as const)),
});

/** What people and the world do in the middle of it. */
const happening: fc.Arbitrary<Happening> = fc.oneof(
  record({ at, do: fc.constant('pause' as const), scope, minutes: fc.integer({ min: 1, max: 120 }) }),
  record({ at, do: fc.constant('cancel' as const), scope }),
  record({ at, do: fc.constant('calendar' as const), rule: ruleCase, scope, minutes: small(600) }),
  record({ at, do: fc.constantFrom(...(['optOut', 'deleteSet', 'renew', 'mismatch'] as const)), set }),
  record({
    at,
    do: fc.constantFrom(
      ...(['protect', 'unprotect', 'stop', 'start', 'deleteInstance', 'deleteInstance'] as const),
    ),
    set,
    instance: small(40),
  }),
  record({ at, do: fc.constant('scale' as const), set, capacity: small(40) }),
  manual,
);

const termination: fc.Arbitrary<Happening> = fc.oneof(
  record({
    at,
    do: fc.constant('terminate' as const),
    level: fc.constantFrom(...(['scaleSet', 'batch', 'region', 'phase', 'image', 'everything'] as const)),
  }),
  record({
    at,
    do: fc.constant('temporalCancel' as const),
    level: fc.constantFrom(...(['scaleSet', 'region', 'phase', 'image'] as const)),
  }),
);

const kill: fc.Arbitrary<Kill> = record({
  call: fc.nat({ max: 150 }),
  how: fc.constantFrom(...(['lostBefore', 'lostAfter', 'terminateBefore', 'terminate'] as const)),
});

const storeKill: fc.Arbitrary<StoreKill> = record({
  call: fc.nat({ max: 900 }),
  how: fc.constantFrom('before', 'after'),
});

const undisturbed = ({ sets, capacities }: Sizes) => ({
  seed: fc.nat({ max: 9_999 }).map(String),
  sets: many(setCase(capacities), sets.min, sets.max),
  rollouts: fc.oneof(
    { weight: 3, arbitrary: fc.array(rolloutCase, { minLength: 1, maxLength: 1 }) },
    fc.array(rolloutCase, { minLength: 2, maxLength: 3 }),
  ),
  faults: many(faultCase, 0, 4),
  decisions: fc.array(fc.constantFrom<DecisionKind>('proceed', 'retry', 'abort'), { maxLength: 4 }),
  thinkingTime: fc.constantFrom(0, 0, 30),
  instant: mostly(false, true),
  sends: fc.constant<Send[]>([]),
});

/** Rollouts in which nothing goes wrong but what the fleet itself does. */
export const quietCase = (sizes: Sizes = ANY): fc.Arbitrary<Case> =>
  record({
    ...undisturbed(sizes),
    happenings: fc.constant([]),
    kills: fc.constant([]),
    storeKills: fc.constant([]),
    continueAsNewEvery: fc.constant(0),
    // So that it makes no difference when exactly somebody hears of a halt.
    thinkingTime: fc.constant(30),
  });

/** Rollouts during which workers die and workflows are terminated, at any edge. */
export const disturbedCase = (sizes: Sizes = ANY): fc.Arbitrary<Case> =>
  record({
    ...undisturbed(sizes),
    happenings: many(termination, 0, 3),
    kills: many(kill, 0, 6),
    storeKills: many(storeKill, 0, 6),
    continueAsNewEvery: fc.constantFrom(0, 3, 7),
  });

/** Where others answer, one that does not is given up. */
const inOneRegion = (one: SetCase): SetCase => ({ ...one, region: 'eastus', optedIn: true });

/** Sets on which people start one thing after the other, whatever runs: automatic upgrades, too. */
export const contestedCase = (sizes: Sizes = CONTESTED): fc.Arbitrary<Case> =>
  record({
    ...undisturbed(sizes),
    sets: many(setCase(sizes.capacities).map(inOneRegion), sizes.sets.min, sizes.sets.max),
    // A set that is given up in the middle leaves something half done to whatever is asked for next.
    faults: many(fc.oneof(faultCase, unreachableCase), 1, 3),
    happenings: many(fc.oneof({ weight: 5, arbitrary: manual }, happening, termination), 4, 12),
    kills: fc.array(kill, { maxLength: 1 }),
    storeKills: fc.array(storeKill, { maxLength: 1 }),
    continueAsNewEvery: fc.constantFrom(0, 0, 5),
  });

/** Rollouts during which people give orders, and the fleet changes. */
export const operatedCase = (sizes: Sizes = ANY): fc.Arbitrary<Case> =>
  record({
    ...undisturbed(sizes),
    happenings: many(fc.oneof({ weight: 6, arbitrary: happening }, termination), 1, 7),
    kills: fc.array(kill, { maxLength: 1 }),
    storeKills: fc.array(storeKill, { maxLength: 1 }),
    continueAsNewEvery: fc.constantFrom(0, 0, 5),
  });
