import type { Instant } from '../../domain/clock.ts';
import type { StepResult } from '../../activities/types.ts';
import type { LoopWatch } from './host.ts';

/** Runs a step on all chunks at once, waits for what it began, and repeats it on chunks that were not complete. */
export async function eachChunk(
  watch: LoopWatch,
  instanceIds: readonly string[],
  chunkSize: number,
  what: string,
  step: (instanceIds: string[], at: Instant) => Promise<StepResult>,
): Promise<void> {
  let open = chunked(instanceIds, chunkSize);
  while (open.length > 0) {
    const results = await Promise.all(open.map(async (ids) => ({ ids, ...(await step(ids, watch.now)) })));
    const pending = results.map((result) => result.pendingUntil).filter((until) => until !== null);
    if (pending.length > 0) await watch.sleepUntil(Math.max(...pending), what);
    open = results.filter((result) => result.incomplete).map((result) => result.ids);
  }
}

function chunked(ids: readonly string[], size: number): string[][] {
  const chunks: string[][] = [];
  for (let i = 0; i < ids.length; i += size) chunks.push(ids.slice(i, i + size));
  return chunks;
}
