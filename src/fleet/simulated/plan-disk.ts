import { shortHash, uniformInt } from '../../domain/random.ts';
import type { DataDisk, OsDisk } from '../../domain/scale-set.ts';
import {
  BEING_CHANGED,
  duration,
  failedAt,
  healthyFrom,
  linesOf,
  operationError,
  versionInPlace,
  type Plan,
  type PlanInput,
} from './plan.ts';
import type { InstanceState, KeptDisk } from './state.ts';
import { delayBy } from './world.ts';

/** The first letter that Windows gives to a data disk: C is the OS, D the temporary disk. */
const FIRST_DRIVE_LETTER = 'E'.charCodeAt(0);

/** Booted, whoever had stopped it before. */
const UP = { power: 'running' as const, stops: [] };

/** Rule B4: the OS disk is replaced with a new one of the target version, and kept for a restore. Data disks stay. */
export function planSwap(input: PlanInput): Plan {
  const { world, subject, before, start } = input;
  const target = input.target as NonNullable<PlanInput['target']>;
  const arrivesAt = start + duration(input, 'osDiskSwap', target.version);
  const bootedAt =
    arrivesAt + duration(input, 'boot', target.version) + delayBy(world, 'slowBoot', subject, target.version);
  const lines = linesOf(versionInPlace(before), target.version);
  const previous = keep(before);
  const removed = {
    ...BEING_CHANGED,
    osDisk: null,
    previous,
    power: 'stopped' as const,
    extensions: before.extensions.map(({ name }) => ({ name, state: 'creating' as const })),
  };
  const observed = { instances: input.setSize };
  const started = { at: start, change: removed, line: { ...lines.started, observed } };

  const hits = world.faults.hit('swapFails', subject, before.hits, target.version);
  if (hits !== null) {
    const error = operationError(
      'OsDiskSwapFailed',
      `The new OS disk (${target.version}) could not be attached; the old one was put back.`,
    );
    const putBack = { hits, osDisk: before.osDisk, extensions: before.extensions, ...UP };
    return {
      endsAt: bootedAt,
      error,
      steps: [
        started,
        { at: bootedAt, change: { ...putBack, ...failedAt(bootedAt) }, line: lines.ended(error) },
      ],
    };
  }

  const osDisk: OsDisk = { id: newDiskId(input), source: target, createdAt: arrivesAt };
  return {
    endsAt: bootedAt,
    steps: [
      started,
      { at: arrivesAt, change: { osDisk, power: 'starting', dataDisks: withLettersAfterSwap(input) } },
      { at: bootedAt, change: UP, line: lines.ended() },
    ],
  };
}

/** Rule B6: the previous OS disk comes back, with all that was configured on it; the failed one is dropped. */
export function planRestore(input: PlanInput): Plan {
  const { world, subject, before, start } = input;
  const { previous } = before;
  const from = versionInPlace(before);
  if (previous === null) {
    const error = operationError('NoPreviousOsDisk', 'No previous OS disk is kept for this instance.');
    const lines = linesOf(from, null);
    const steps = [lines.started, lines.ended(error)].map((line) => ({ at: start, change: {}, line }));
    return { endsAt: start, error, steps };
  }

  const version = previous.disk.source.version;
  const endsAt = start + duration(input, 'osDiskRestore', version);
  const lines = linesOf(from, version);
  const removed = { ...BEING_CHANGED, osDisk: null, power: 'stopped' as const };
  const started = { at: start, change: removed, line: lines.started };

  const hits = world.faults.hit('restoreFails', subject, before.hits);
  if (hits !== null) {
    const error = operationError(
      'OsDiskRestoreFailed',
      `The previous OS disk (${version}) could not be attached; the new one was put back.`,
    );
    const putBack = { hits, osDisk: before.osDisk, ...UP, ...failedAt(endsAt) };
    return { endsAt, error, steps: [started, { at: endsAt, change: putBack, line: lines.ended(error) }] };
  }

  const restored: Partial<InstanceState> = {
    osDisk: previous.disk,
    previous: null,
    extensions: previous.extensions,
    appliedModelVersion: previous.appliedModelVersion,
    dataDisks: before.dataDisks.map((disk, i) => ({
      ...disk,
      driveLetter: previous.driveLetters[i] ?? null,
    })),
    ...UP,
    provisioning: 'Succeeded',
    configuredAt: endsAt,
    healthyFrom: healthyFrom(input, endsAt, version),
  };
  return { endsAt, steps: [started, { at: endsAt, change: restored, line: lines.ended() }] };
}

function keep(before: InstanceState): KeptDisk | null {
  if (before.osDisk === null) return before.previous;
  return {
    disk: before.osDisk,
    extensions: before.extensions,
    driveLetters: before.dataDisks.map(({ driveLetter }) => driveLetter),
    appliedModelVersion: before.appliedModelVersion,
  };
}

function newDiskId({ scaleSet, subject, world, attemptId, ordinal }: PlanInput): string {
  const unique = shortHash(
    [world.seed, scaleSet.id.toLowerCase(), subject.instanceId, attemptId, ordinal].join(':'),
  );
  return osDiskId(scaleSet.name, subject.instanceId, unique);
}

/** An OS disk's name, as Azure forms it. */
export function osDiskId(scaleSetName: string, instanceId: string, unique: string): string {
  return `${scaleSetName}_${instanceId}_OsDisk_1_${unique}`;
}

/** The letters that data disks have on an instance that was never upgraded; none on Linux. */
export function withFirstLetters(
  dataDisks: readonly DataDisk[],
  osType: 'Linux' | 'Windows',
): InstanceState['dataDisks'] {
  return dataDisks.map((disk, i) => ({ ...disk, driveLetter: osType === 'Windows' ? letter(i) : null }));
}

/** Windows on a new OS disk may give data disks other letters, unless a boot script keeps them (rule B4). */
function withLettersAfterSwap({
  before,
  scaleSet,
  world,
  subject,
  target,
}: PlanInput): InstanceState['dataDisks'] {
  if (scaleSet.osType !== 'Windows' || scaleSet.keepsDriveLetters) return before.dataDisks;
  const key = [
    world.seed,
    'driveLetters',
    scaleSet.id.toLowerCase(),
    subject.instanceId,
    target?.version ?? '',
  ];
  const shift = uniformInt(0, 5, ...key);
  const count = before.dataDisks.length;
  return before.dataDisks.map((disk, i) => ({ ...disk, driveLetter: letter(((i + shift) % count) + shift) }));
}

function letter(index: number): string | null {
  const code = FIRST_DRIVE_LETTER + index;
  return code <= 'Z'.charCodeAt(0) ? String.fromCharCode(code) : null;
}
