import { humanDuration, isoTime, type Instant } from '../../domain/clock.ts';
import type { HeldVersion, Order, QuarantinedInstance } from '../../ledger/port.ts';
import { decidedOn } from '../gates.ts';
import type { PlacedWait, SetWarning, StatusReport, TemporalReport } from '../index.ts';
import { renderTree, type TreeOptions } from '../view/index.ts';
import { momentText, scopeText, section, sections, table, time } from './text.ts';

const MOST_HELD = 10;

/** The report for programs: the snapshot's own fields, and what goes with them. */
export function statusJson(report: StatusReport) {
  const { rollout, snapshot, ...said } = report;
  const { target, generation, settings, parameters } = rollout;
  return { ...snapshot, target, generation, settings, parameters, ...said };
}

/** The report for people: the tree, then what is waited for, what the workflows say, and what to do. */
export function statusText(report: StatusReport, view: TreeOptions): string {
  const { snapshot, waitsFor, temporal, orders, decisions, quarantined, heldBack, warnings, advice } = report;
  return sections(
    renderTree(snapshot, view),
    section('Waits for:', waitsText(waitsFor)),
    section('Workflows say:', workflowsText(temporal, snapshot.now)),
    section('Orders in force:', orders.map((order) => `  ${orderText(order)}`).join('\n')),
    section(
      'Decisions:',
      decisions
        .map((one) => `  ${decidedOn(one)}: ${one.decision}, by ${one.who} at ${isoTime(one.at)}: ${one.why}`)
        .join('\n'),
    ),
    section('In quarantine (mend by `rollouts repair`):', quarantined.map(quarantinedText).join('\n')),
    section('Held back since it was reverted there (`rollouts held`):', heldText(heldBack)),
    section('Warned of before it began:', warnings.map(warningText).join('\n')),
    advice.map((text) => `! ${text}`).join('\n'),
  );
}

function waitsText(waits: readonly PlacedWait[]): string {
  return table(
    [{ title: 'WHERE' }, { title: 'WHAT' }, { title: 'UNTIL (VIRTUAL TIME)' }],
    waits.map(({ where, what, until, remaining }) => [
      where,
      what,
      until === null
        ? 'open'
        : `${isoTime(until)}${remaining === null ? '' : ` (in ${humanDuration(remaining)})`}`,
    ]),
    '  ',
  );
}

function workflowsText(temporal: TemporalReport, now: Instant): string {
  if (temporal.kind !== 'reached') return '';
  return table(
    [{ title: 'WORKFLOW' }, { title: 'DOES' }, { title: 'WAITS FOR' }],
    temporal.workflows.map(({ workflowId, level, doing, waitingFor }) => [
      `${level} ${workflowId.split('/').slice(4).join('/')}`.trim(),
      doing.split('\n')[0] ?? '',
      waitingFor === null
        ? '-'
        : `${waitingFor.what}${waitingFor.until === null ? '' : `, looks again by ${momentText(waitingFor.until, now)}`}`,
    ]),
    '  ',
  );
}

/** `  web/3 quarantined since 2026-01-05 10:31:12, OsDiskRestoreFailed: ...` */
function quarantinedText({ scaleSetId, instanceId, since, error }: QuarantinedInstance): string {
  return `  ${scaleSetId.split('/').at(-1)}/${instanceId} quarantined since ${time(since)}, ${error}`;
}

/** `  web by ann since 2026-01-05 10:31:12: bad kernel`; of many sets the first ones. */
function heldText(held: readonly HeldVersion[]): string {
  const lines = held
    .slice(0, MOST_HELD)
    .map(
      ({ scaleSetId, who, since, why }) =>
        `  ${scaleSetId?.split('/').at(-1) ?? 'the whole fleet'} by ${who} since ${time(since)}: ${why}`,
    );
  return [...lines, ...(held.length > MOST_HELD ? [`  and ${held.length - MOST_HELD} more`] : [])].join('\n');
}

/** `  web: Extension "app" needs ...` */
function warningText({ scaleSetId, message, fix }: SetWarning): string {
  return `  ${scaleSetId.split('/').at(-1)}: ${message} ${fix}`;
}

function orderText({ scope, state, who, why, at }: Order): string {
  return `${scopeText(scope)} is ${state} by ${who} since ${isoTime(at)}: ${why}`;
}
