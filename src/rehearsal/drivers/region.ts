import type { RegionLook } from '../../activities/types.ts';
import { regionRolloutId, scaleSetRolloutId } from '../../workflows/ids.ts';
import type { RegionRolloutInput, RegionRolloutResult } from '../../workflows/messages.ts';
import type { Process } from '../process.ts';
import type { Runtime } from '../runtime.ts';

const MAX_FAILURES = 3;

/** Starts the reconciler of a region, as `regionRollout` does; null while one runs. */
export function startRegion(runtime: Runtime, phaseId: string, input: RegionRolloutInput): Process | null {
  const id = regionRolloutId(phaseId, input.region);
  return runtime.start(id, (process) => new Region(runtime, process, input).reconcile(), input.cancelled);
}

class Region {
  readonly #runtime: Runtime;
  readonly #process: Process;
  readonly #input: RegionRolloutInput;
  readonly #mine = new Set<string>();
  readonly #failures = new Map<string, number>();
  #lastScanAt: number | null = null;
  #run = 1;

  constructor(runtime: Runtime, process: Process, input: RegionRolloutInput) {
    this.#runtime = runtime;
    this.#process = process;
    this.#input = input;
  }

  async reconcile(): Promise<RegionRolloutResult> {
    for (;;) {
      const look = await this.#look();
      if (look.done) {
        return { kind: look.cancelled ? 'cancelled' : 'done', reason: look.cancelled, counts: look.counts };
      }
      for (const { scaleSetId } of look.start) this.#start(scaleSetId);
      if (this.#process.cancelRequested) this.#passCancelOn(look);
      if (this.#runtime.continuesAsNew(this.#process)) {
        // The new run finds the sets that run in the ledger; nobody tells it of their ends.
        this.#mine.clear();
        this.#run++;
        continue;
      }
      const fallback =
        this.#process.now + this.#input.settings.fallbackPoll / (look.strangers.length > 0 ? 3 : 1);
      await this.#process.waitFor(look.waitingFor, Math.min(look.nextAt ?? fallback, fallback));
    }
  }

  async #look(): Promise<RegionLook> {
    const { rolloutId, phase, round, region, settings } = this.#input;
    const { now, id, cancelRequested } = this.#process;
    const scan = this.#lastScanAt === null || now - this.#lastScanAt >= settings.fallbackPoll;
    if (scan) this.#lastScanAt = now;
    return this.#runtime.call(this.#process, 'lookAtRegion', {
      rolloutId,
      phase,
      round,
      region,
      workflowId: id,
      mine: [...this.#mine],
      giveUp: [...this.#failures].filter(([, count]) => count >= MAX_FAILURES).map(([set]) => set),
      scan,
      cancelRequested,
      at: now,
    });
  }

  #start(scaleSetId: string): void {
    const { rolloutId, clock, target, phase, region, settings } = this.#input;
    const child = this.#runtime.startScaleSet({
      v: 1,
      rolloutId,
      scaleSetId,
      clock,
      target,
      phase,
      region,
      settings,
      ...(this.#process.cancelRequested ? { windDown: true } : {}),
    });
    if (child === null) return;
    this.#mine.add(scaleSetId);
    const run = this.#run;
    child.onEnd((end) => {
      if (run !== this.#run) return;
      this.#mine.delete(scaleSetId);
      if (end.kind === 'failed') {
        this.#failures.set(scaleSetId, (this.#failures.get(scaleSetId) ?? 0) + 1);
      }
      this.#process.wake();
    });
  }

  #passCancelOn(look: RegionLook): void {
    for (const id of [...this.#mine, ...look.own]) {
      const set = this.#runtime.find(scaleSetRolloutId(id));
      if (set && !set.cancelRequested) set.cancel();
    }
  }
}
