import { executeChild, sleep } from '@temporalio/workflow';
import {
  virtualAt,
  wallAt,
  type Duration,
  type Instant,
  type VirtualClock,
} from '../../../src/domain/clock.ts';
import { imageWatch } from '../../../src/workflows/index.ts';

export * from '../../../src/workflows/index.ts';

/** How a month of looks goes by: the time-skipping server has no schedules. */
export interface MonthInput {
  clock: VirtualClock;
  until: Instant;
  every: Duration;
}

/** One root for all: it looks at the images again and again; what the looks start runs by itself. */
export async function month({ clock, until, every }: MonthInput): Promise<number> {
  let looks = 0;
  for (;;) {
    const now = virtualAt(clock, Date.now());
    if (now >= until) return looks;
    await executeChild(imageWatch, { workflowId: `image-watch-${looks++}`, args: [{ v: 1, clock }] });
    await sleep(Math.max(1, wallAt(clock, Math.min(until, now + every)) - Date.now()));
  }
}
