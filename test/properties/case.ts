import type { FaultSpec } from '../../src/fleet/index.ts';
import type { DecisionKind } from '../../src/ledger/port.ts';
import type { Disturbance } from '../../src/rehearsal/runtime.ts';
import type { Loss } from '../../src/rehearsal/disturbed.ts';
import type { FabricCase } from './fabric.ts';

/*
 * Random rollouts, as plain data: what fast-check prints of a failure says all that happened, and shrinks to little.
 * Times are minutes after the start.
 */

export interface Case {
  /** Of the fleet's draws, and of the order of what happens at the same moment. */
  seed: string;
  sets: SetCase[];
  /** Several images roll out at the same time; sets say which one they use. */
  rollouts: RolloutCase[];
  faults: FaultCase[];
  happenings: Happening[];
  /** What people send at a point of the run: right after the activity of that number was called. */
  sends: Send[];
  kills: Kill[];
  storeKills: StoreKill[];
  /** What people decide at each halt; `abort` when the list is through. */
  decisions: DecisionKind[];
  /** How long they take over each. */
  thinkingTime: number;
  /** Every n-th chance a workflow continues as new; 0: never. */
  continueAsNewEvery: number;
  instant: boolean;
}

export type ImageName = 'jammy' | 'focal' | 'gallery';

export interface SetCase {
  region: RegionName;
  zones: number;
  capacity: number;
  image: ImageName;
  flexible: boolean;
  mode: 'Manual' | 'Automatic' | 'Rolling';
  policy: PolicyCase | null;
  noRollback: boolean;
  optedIn: boolean;
  health: 'probe' | 'extension' | 'none';
  extensions: ('app' | 'agent' | 'download')[];
  /** Runs the new version already. */
  upToDate: boolean;
  protectedInstances: number[];
  stoppedInstances: number[];
  fabric: FabricCase | null;
}

export interface PolicyCase {
  maxBatchInstancePercent: number;
  maxUnhealthyInstancePercent: number;
  maxUnhealthyUpgradedInstancePercent: number;
  /** Minutes. */
  pause: number;
  enableCrossZoneUpgrade: boolean;
  prioritizeUnhealthyInstances: boolean;
  rollbackFailedInstancesOnPolicyBreach: boolean;
}

export interface RolloutCase {
  image: ImageName;
  /** How many regions each phase gets at most. */
  phaseWidth: number;
  quick: boolean;
  tolerance: number;
  healthTimeout: number;
  chunkSize: number;
  maxConcurrent: number;
  /** What its phases say for themselves, by turns; nothing, if there are none. */
  gates: GateCase[];
}

export interface GateCase {
  tolerance: number | null;
  /** Minutes. */
  bake: number | null;
  approval: boolean;
}

/** What goes wrong: as the fleet's faults, with sets by number and times in minutes. */
export interface FaultCase {
  kind: FaultSpec['kind'];
  set: number | null;
  share: number;
  from: number;
  minutes: number;
  times: number;
  onNewOnly: boolean;
  effect: 'before' | 'after' | 'throttled';
  operation: 'osDisk.swap' | 'model.apply' | 'extension.run' | 'osDisk.restore' | 'reads' | 'any';
  /** An API error that happens for so long that the set is given up. */
  forLong: boolean;
}

export type Happening = { at: number } & What;
export type Send = { call: number } & Sent;
/** What can be sent at any point: a calendar is laid down before. */
export type Sent = Exclude<What, { do: 'calendar' }>;

export type What =
  | { do: 'pause'; scope: ScopeCase; minutes: number }
  | { do: 'cancel'; scope: ScopeCase }
  /** Laid down, and taken back after so long. */
  | { do: 'calendar'; rule: RuleCase; scope: ScopeCase; minutes: number }
  | { do: 'terminate'; level: 'image' | 'phase' | 'region' | 'scaleSet' | 'batch' | 'everything' }
  | { do: 'temporalCancel'; level: 'image' | 'phase' | 'region' | 'scaleSet' }
  | { do: 'optOut' | 'deleteSet' | 'renew' | 'mismatch'; set: number }
  | { do: 'protect' | 'unprotect' | 'stop' | 'start' | 'deleteInstance'; set: number; instance: number }
  | { do: 'scale'; set: number; capacity: number }
  | { do: 'manual'; set: number; action: 'osUpgrade' | 'modelUpdate' | 'modelUpgrade' | 'revert' | 'repair' }
  /** On every rollout that waits for one. */
  | { do: 'decide'; decision: DecisionKind }
  | { do: 'lookAgain' };

export interface RuleCase {
  kind: 'window' | 'freeze' | 'override';
  /** Of a window, every day: when it begins, by the clocks of its zone, and for how many minutes. */
  start: string;
  length: number;
  zone: string;
}

export interface ScopeCase {
  level: 'all' | 'rollout' | 'phase' | 'region' | 'scaleSet';
  number: number;
}

export interface Kill {
  /** The number of the activity's call. */
  call: number;
  how: Exclude<Disturbance, 'none'>;
}

export interface StoreKill {
  call: number;
  how: Exclude<Loss, 'none'>;
}

/** Pairs: eastus with westus and with westus3, northeurope with westeurope. `westus` has no zones. */
export const REGIONS = ['eastus', 'westus', 'swedencentral', 'northeurope', 'westeurope', 'westus3'] as const;
export type RegionName = (typeof REGIONS)[number];
