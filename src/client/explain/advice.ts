import { repairCommand } from '../give.ts';
import { serveCommand } from '../unserved.ts';
import type { Facts } from './facts.ts';
import { startByHand } from './reasons.ts';
import type {
  Advice,
  ExplainedInstance,
  ExplainedReason,
  ExplainedWait,
  InstanceGroup,
  NewerVersion,
  TemporalWord,
  Verdict,
} from './types.ts';

/** What the advice follows from. */
export interface Advised {
  verdict: Verdict;
  reasons: readonly ExplainedReason[];
  warnings: readonly ExplainedReason[];
  waitsFor: readonly ExplainedWait[];
  groups: readonly InstanceGroup[];
  newer: readonly NewerVersion[];
  temporal: TemporalWord;
  /** The instances that it is about. */
  concerns: readonly ExplainedInstance[];
}

/** What a person can do, each command once: what is out of order first, then what is waited for, then what else would help. */
export function adviceOf(facts: Facts, found: Advised): Advice[] {
  const { reasons, warnings, waitsFor, groups, newer } = found;
  const all = [
    ...lostWorkflow(facts, found.temporal),
    ...waitsFor.flatMap(({ what, command }) => given(`To end the wait for ${what}:`, command)),
    ...against([...reasons, ...warnings]),
    ...groups.flatMap(({ text, command, instanceIds }) => given(`${instanceIds.length} ${text}:`, command)),
    ...byHand(facts, found),
    ...newer.flatMap(({ message, command }) => given(message, command)),
  ];
  return all.filter(
    (one, i) => one.command === null || all.findIndex(({ command }) => command === one.command) === i,
  );
}

function given(what: string, command: string | null): Advice[] {
  return command === null ? [] : [{ what, command }];
}

/** One command may do for several reasons. */
function against(reasons: readonly ExplainedReason[]): Advice[] {
  return reasons.map(({ fix, code, command }) => {
    if (command === null) return { what: `Against ${code}: ${fix}`, command };
    const same = reasons.filter((one) => one.command === command).map((one) => one.code);
    return { what: `Against ${same.join(', ')}:`, command };
  });
}

/** A workflow that is gone carries nothing on. */
function lostWorkflow({ called, open, course, scaleSet }: Facts, temporal: TemporalWord): Advice[] {
  if (temporal.kind !== 'reached') return [];
  if (temporal.state === 'open') {
    const { region } = scaleSet;
    const unserved = `No worker serves ${region}, so its VMs wait. Start one:`;
    return [
      ...(temporal.doing === null
        ? [{ what: 'No worker answers. Start one:', command: 'npm run worker' }]
        : []),
      ...(temporal.isUnserved ? [{ what: unserved, command: serveCommand(region) }] : []),
    ];
  }
  // What of a rollout is out of order, and how to go on with it, its status tells.
  const command =
    open === null ? `rollouts status ${course?.rollout.id ?? ''}`.trim() : repairCommand(called);
  return [{ what: `Its workflow is ${temporal.state}, so nobody carries it on:`, command }];
}

/** Rule D8: a person need not wait for phases and triggers, and not for opt-in. */
function byHand(facts: Facts, { verdict, concerns }: Advised): Advice[] {
  const helps = verdict.kind === 'waiting' || verdict.kind === 'notUpgraded' || verdict.kind === 'stopped';
  const isWanted = concerns.some(({ state }) => state === 'pending' || state === 'failed');
  const what = 'To upgrade it at once, without phases, delay or restores (rule D8):';
  return helps && isWanted ? given(what, startByHand(facts)) : [];
}
