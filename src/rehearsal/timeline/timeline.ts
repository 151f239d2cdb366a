import { isoTime, type Instant } from '../../domain/clock.ts';
import type { Ledger, Target } from '../../ledger/port.ts';
import { parseWorkflowId } from '../../workflows/ids.ts';
import type { Retry, Step } from '../runtime.ts';
import { journalLines, type TimelineLine } from './journal-lines.ts';
import { clockTime, stepLines } from './step-lines.ts';

export type { TimelineLine } from './journal-lines.ts';

/**
 * What happened in a rehearsal, as a story: one line for each thing that a person would want to know at three in the morning.
 * It listens while the rehearsal runs, since waits are written down nowhere.
 */
export class Timeline {
  readonly #ledger: Ledger;
  readonly #lines: TimelineLine[] = [];
  /** What was said last of each process or scale set, so that it is not said again. */
  readonly #said = new Map<string, string>();
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
    if (step.activity === 'lookAtRegion' && step.input.scan) await this.#tellTargets(step);
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
    this.note(at, placeOf(processId), `${activity} fails (${error.message}); again at ${clockTime(again)}`);
  }

  /** In the order of time; what happened at the same moment in the order in which it was done. */
  lines(): TimelineLine[] {
    return this.#lines.toSorted((a, b) => a.at - b.at);
  }

  /** Which sets a region has found, and when their turn comes. */
  async #tellTargets(step: Extract<Step, { activity: 'lookAtRegion' }>): Promise<void> {
    const { rolloutId, region } = step.input;
    for (const target of await this.#ledger.targets.list({ rolloutId, region })) {
      const what = describeTarget(target);
      const isNews = what !== null && this.#isNews(`${rolloutId} ${target.scaleSetId}`, what);
      if (isNews) this.note(step.at, `${region}/${target.scaleSetName}`, what);
    }
  }

  #isNews(key: string, what: string): boolean {
    if (this.#said.get(key) === what) return false;
    this.#said.set(key, what);
    return true;
  }
}

function describeTarget({ status, triggerAt, reason, attemptId }: Target): string | null {
  if (status === 'waiting') return `is due: its upgrade is triggered at ${clockTime(triggerAt)}`;
  if (status === 'skipped') return `is left out: ${reason?.message ?? ''}`;
  return status === 'upgraded' && attemptId === null ? 'has nothing to upgrade' : null;
}

function placeOf(processId: string): string {
  const parsed = parseWorkflowId(processId);
  switch (parsed?.level) {
    case 'image':
    case undefined:
      return 'rollout';
    case 'phase':
      return `phase ${parsed.phase}`;
    case 'region':
      return parsed.region;
    default:
      return processId;
  }
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

const MOST_NAMED = 12;

/** `VM 3`, `VM 3, 4, 7` */
function vmList(ids: readonly string[]): string {
  const named = ids.slice(0, MOST_NAMED).join(', ');
  return `VM ${named}${ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : ''}`;
}
