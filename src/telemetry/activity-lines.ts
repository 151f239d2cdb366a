import type { Activities } from '../activities/index.ts';
import type { ScaleSetLook, ScaleSetLookInput } from '../activities/types.ts';
import { isoTime } from '../domain/clock.ts';
import type { Reason } from '../ledger/port.ts';

/** A line of the log. */
export interface Line {
  level: 'debug' | 'info' | 'warn';
  message: string;
  fields?: Readonly<Record<string, unknown>>;
}

type Lines = {
  [Name in keyof Activities]: (
    input: Parameters<Activities[Name]>[0],
    result: Awaited<ReturnType<Activities[Name]>>,
  ) => Line[];
};

const line = (level: Line['level'], message: string, fields: Line['fields'] = {}): Line[] => [
  { level, message, fields },
];

const why = (reason: Reason | null) => (reason === null ? {} : { code: reason.code, reason: reason.message });

const until = (at: number | null) => (at === null ? {} : { until: isoTime(at) });

/** What is told of each activity's answer. At `info` stands what somebody would want to know the next day. */
const LINES: Lines = {
  lookAtScaleSet: (input, look) => [...beginning(input, look), ...nextStep(look)],
  giveUpScaleSet: (_, { reason, progress }) =>
    line('warn', 'scale set given up', { ...progress, ...why(reason) }),
  lookAtRegion: (_, { start, counts, waitingFor, nextAt, done, cancelled }) => {
    if (done) return line('info', 'region done', { ...counts, ...why(cancelled) });
    const started = start.map(({ name }) => name);
    if (started.length > 0) return line('info', 'scale sets begun', { scaleSets: started, ...counts });
    return line('debug', `region waits for ${waitingFor}`, { ...counts, ...until(nextAt) });
  },
  lookAtImages: (_, { start }) =>
    start.length === 0
      ? line('debug', 'no rollout is due')
      : line('info', 'rollouts begin', { rollouts: start.map(({ id }) => id) }),
  swapOsDisks: ({ instanceIds, target }, { pendingUntil }) =>
    line('debug', 'OS disks being replaced', {
      vms: instanceIds,
      version: target.version,
      ...until(pendingUntil),
    }),
  configureInstances: ({ instanceIds }, { pendingUntil }) =>
    line('debug', 'model and extensions being applied', { vms: instanceIds, ...until(pendingUntil) }),
  restoreOsDisks: ({ instanceIds }, { pendingUntil }) =>
    line('info', 'OS disks being restored', { vms: instanceIds, ...until(pendingUntil) }),
  checkHealth: (_, { healthy, waiting, toRestore, left, nextLookAt }) => {
    if (nextLookAt !== null) return line('debug', 'batch waits for health', { healthy, waiting });
    if (toRestore.length > 0) return line('warn', 'VMs have to be restored', { failures: toRestore });
    return line(left > 0 ? 'warn' : 'info', 'batch closed', { upgraded: healthy, restored: 0, failed: left });
  },
  closeBatch: ({ instanceIds }, { restored, failed }) =>
    line('warn', 'batch closed', {
      upgraded: instanceIds.length - restored - failed,
      restored,
      failed,
    }),
  closeRollBack: ({ instanceIds }) => line('info', 'failed VMs restored', { vms: instanceIds }),
  openPhase: ({ regions, round }) => line('info', 'phase begun', { regions, round }),
  startBake: (_, { until: end }) => line('info', 'bake time begun', until(end)),
  judgePhase: (_, { verdict, withinTolerance }) =>
    line(withinTolerance ? 'info' : 'warn', 'phase judged', { ...verdict, withinTolerance }),
  readOrder: (_, { state, reason }) =>
    state === 'running' ? [] : line('info', `held by an order: ${state}`, why(reason)),
  recordDecision: (_, { decision, who, why: because }) =>
    line('info', `decided: ${decision}`, { who, why: because }),
  setRolloutStatus: ({ status, reason }) =>
    line(status === 'Halted' ? 'warn' : 'info', `rollout is ${status}`, why(reason)),
  closeOrphanedRollout: () => line('debug', 'rollout closed, unless its workflow still runs'),
};

function beginning({ attempt: known }: ScaleSetLookInput, { attempt, kind }: ScaleSetLook): Line[] {
  if (known !== undefined || kind === 'conflict' || attempt.id === '') return [];
  return line('info', 'attempt begun', { attemptId: attempt.id });
}

function nextStep(look: ScaleSetLook): Line[] {
  const { progress, attempt } = look;
  const about = { attemptId: attempt.id, ...progress };
  switch (look.kind) {
    case 'batch':
      return line('info', 'batch begun', {
        ...about,
        batch: look.batch,
        action: look.action,
        version: look.target.version,
        zone: look.zone,
        updateDomain: look.updateDomain,
        vms: look.instanceIds,
      });
    case 'rollBack':
      return line('warn', 'failed VMs have to be restored: the policy is broken', {
        ...about,
        vms: look.instanceIds,
      });
    case 'wait':
      return line('info', `scale set waits for ${look.what}`, { ...about, ...until(look.until) });
    case 'finished': {
      const level = look.status === 'Completed' ? 'info' : 'warn';
      return line(level, 'attempt ended', { ...about, status: look.status, ...why(look.reason) });
    }
    case 'conflict':
      return line('warn', 'attempt refused', { ...about, ...why(look.reason) });
  }
}

/** What there is to tell of an activity's answer; nothing, of one that is unknown. */
export function linesOf(activity: string, input: unknown, result: unknown): Line[] {
  const lines = (LINES as Partial<Record<string, (input: unknown, result: unknown) => Line[]>>)[activity];
  return lines?.(input, result) ?? [];
}
