import { instanceCommand } from './commands.ts';
import type { ExplainedInstance, InstanceGroup, InstanceState } from './types.ts';

/** What moves or needs somebody stands first. */
const ORDER: InstanceState[] = [
  'inBatch',
  'pending',
  'failed',
  'quarantined',
  'stopped',
  'protected',
  'behindModel',
  'onVersion',
];

/** Instances that stand alike. @param called the set, in commands */
export function groupByState(called: string, instances: readonly ExplainedInstance[]): InstanceGroup[] {
  return ORDER.flatMap((state) => {
    // Which batch each is in tells little of a set of a thousand.
    const textOf = ({ text }: ExplainedInstance) => (state === 'pending' ? 'not on the version yet' : text);
    const alike = instances.filter((one) => one.state === state);
    return grouped(alike, textOf).map(({ text, members: [first, ...rest] }) => {
      const ids = [first, ...rest].map((one) => one.instanceId);
      return {
        code: state,
        rule: first.rule,
        text,
        instanceIds: ids,
        command: instanceCommand(called, state, ids),
      };
    });
  });
}

/** Unhealthy instances by the first thing that is wrong with them (rule B5). */
export function groupByProblem(instances: readonly ExplainedInstance[]): InstanceGroup[] {
  const ill = instances.flatMap(({ instanceId, problems: [problem] }) =>
    problem === undefined ? [] : [{ instanceId, ...problem }],
  );
  return grouped(ill, ({ message }) => message).map(({ text, members }) => ({
    code: members[0].code,
    rule: 'B5',
    text,
    instanceIds: members.map((one) => one.instanceId),
    command: null,
  }));
}

interface Alike<T> {
  text: string;
  members: [T, ...T[]];
}

/** The largest group first. */
function grouped<T>(all: readonly T[], textOf: (one: T) => string): Alike<T>[] {
  const groups = new Map<string, Alike<T>>();
  for (const one of all) {
    const text = textOf(one);
    const there = groups.get(text);
    if (there === undefined) groups.set(text, { text, members: [one] });
    else there.members.push(one);
  }
  return [...groups.values()].toSorted((a, b) => b.members.length - a.members.length);
}
