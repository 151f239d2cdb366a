import { isoTime, type Instant } from '../../domain/clock.ts';
import type { Ledger, Target } from '../../ledger/port.ts';
import { parseWorkflowId, scaleSetRolloutId } from '../../workflows/ids.ts';
import type { Retry, Step } from '../runtime.ts';
import { journalLines, vmList, type TimelineLine } from './journal-lines.ts';
import { clockTime, momentText, stepLines } from './step-lines.ts';

export type { TimelineLine } from './journal-lines.ts';

/** Of a call that is tried for an hour nobody wants to read every try. */
const RETRIES_TOLD = 4;

/**
 * What happened in a rehearsal, as a story: one line for each thing that a person would want to know at three in the morning.
 * It listens while the rehearsal runs, since waits are written down nowhere.
 */
export class Timeline {
  readonly #ledger: Ledger;
  readonly #lines: TimelineLine[] = [];
  /** What was said last of each process or scale set, so that it is not said again. */
  readonly #said = new Map<string, string>();
  /** Where the workflow of a scale set is at work. */
  readonly #sets = new Map<string, string>();
  /** How often in a row a call has not succeeded. */
  readonly #retries = new Map<string, number>();
  #seq = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  note(at: Instant, where: string, what: string): void {
    this.#lines.push({ at, where, vm: null, what });
  }

  /** Call it after every step of the rehearsal. */
  async onStep(step: Step): Promise<void> {
    await this.catchUp();
    if (step.activity === 'lookAtRegion') await this.#tellTargets(step);
    if (step.activity === 'lookAtScaleSet') this.#sets.set(step.processId, placeOfSet(step.input));
    this.#retries.delete(`${step.processId} ${step.activity}`);
    for (const { key, line } of stepLines(step)) {
      if (line !== null && this.#isNews(key, line.what)) this.#lines.push(line);
      if (line === null) this.#said.delete(key);
    }
  }

  /** Tells what the journal holds by now. */
  async catchUp(): Promise<void> {
    const entries = await this.#ledger.journal.read({ after: this.#seq });
    this.#seq = entries.at(-1)?.seq ?? this.#seq;
    this.#lines.push(...entries.flatMap(journalLines));
  }

  onRetry({ at, processId, activity, error, again }: Retry): void {
    const key = `${processId} ${activity}`;
    const tries = (this.#retries.get(key) ?? 0) + 1;
    this.#retries.set(key, tries);
    if (tries > RETRIES_TOLD) return;
    const what = error.message.replace(/\.$/, '');
    const then = tries < RETRIES_TOLD ? `again at ${momentText(again, at)}` : 'again and again from now on';
    this.note(at, this.#placeOf(processId), `${activity}: ${what}; ${then}`);
  }

  /** In the order of time; what happened at the same moment in the order in which it was done. */
  lines(): TimelineLine[] {
    return this.#lines.toSorted((a, b) => a.at - b.at);
  }

  /** Which sets a region has found, and when their turn comes. */
  async #tellTargets(step: Extract<Step, { activity: 'lookAtRegion' }>): Promise<void> {
    const { rolloutId, region } = step.input;
    for (const target of await this.#ledger.targets.list({ rolloutId, region })) {
      this.#sets.set(scaleSetRolloutId(target.scaleSetId), `${region}/${target.scaleSetName}`);
      const what = describeTarget(target, step.at);
      const isNews = what !== null && this.#isNews(`${rolloutId} ${target.scaleSetId}`, what);
      if (isNews) this.note(step.at, `${region}/${target.scaleSetName}`, what);
    }
  }

  #placeOf(processId: string): string {
    const parsed = parseWorkflowId(processId);
    switch (parsed?.level) {
      case 'phase':
        return `phase ${parsed.phase}`;
      case 'region':
        return parsed.region;
      case 'scaleSet':
      case 'batch':
        return this.#sets.get(parsed.scaleSetWorkflowId) ?? parsed.scaleSetWorkflowId;
      default:
        return 'rollout';
    }
  }

  #isNews(key: string, what: string): boolean {
    if (this.#said.get(key) === what) return false;
    this.#said.set(key, what);
    return true;
  }
}

function describeTarget({ status, triggerAt, reason, attemptId }: Target, now: Instant): string | null {
  if (status === 'waiting' && triggerAt > now)
    return `is due: its upgrade is triggered at ${momentText(triggerAt, now)}`;
  // Of one that was begun the end of its attempt tells why.
  if (status === 'skipped' && attemptId === null) return `is left out: ${reason?.message ?? ''}`;
  return status === 'upgraded' && attemptId === null ? 'has nothing to upgrade' : null;
}

function placeOfSet({ scaleSetId, region }: { scaleSetId: string; region: string }): string {
  return `${region}/${scaleSetId.split('/').at(-1)}`;
}

/** The story as text, a day after the other. */
export function timelineText(lines: readonly TimelineLine[]): string {
  const told = together(lines);
  const width = Math.max(0, ...told.map(({ where }) => where.length));
  const text: string[] = [];
  let day = '';
  for (const { at, where, vms, what } of told) {
    const today = isoTime(at).slice(0, 10);
    if (today !== day) text.push(...(day === '' ? [] : ['']), today);
    day = today;
    const subject = vms.length === 0 ? '' : `${vmList(vms)}: `;
    text.push(`${clockTime(at)}  ${where.padEnd(width)}  ${subject}${what}`);
  }
  return text.join('\n');
}

/** What happened to several VMs at once is one line. */
function together(lines: readonly TimelineLine[]): (Omit<TimelineLine, 'vm'> & { vms: string[] })[] {
  const told: (Omit<TimelineLine, 'vm'> & { vms: string[] })[] = [];
  for (const { at, where, vm, what } of lines) {
    const last = told.at(-1);
    const isSame = vm !== null && last?.at === at && last.where === where && last.what === what;
    if (isSame) last.vms.push(vm);
    else told.push({ at, where, vms: vm === null ? [] : [vm], what });
  }
  return told;
}
