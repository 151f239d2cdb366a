import type { TelemetryOptions } from '@temporalio/worker';
import { freePort } from '../temporal/ports.ts';

/** The metrics of Temporal's SDK, which it serves by itself only. */
export interface SdkMetrics {
  /** For `Runtime.install`. */
  readonly options: NonNullable<TelemetryOptions['metrics']>;
  /** In Prometheus' text format. */
  readonly read: () => Promise<string>;
}

const LOOPBACK = '127.0.0.1';
const TIMEOUT_MS = 2_000;

/** Has the SDK serve its metrics where only this machine can reach them, for a process that passes them on with its own. */
export async function sdkMetrics(): Promise<SdkMetrics> {
  const bindAddress = `${LOOPBACK}:${await freePort(LOOPBACK)}`;
  return {
    options: {
      prometheus: { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
    },
    read: async () => {
      const answer = await fetch(`http://${bindAddress}/metrics`, {
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!answer.ok) throw new Error(`the SDK's metrics answer with ${answer.status}`);
      return answer.text();
    },
  };
}
