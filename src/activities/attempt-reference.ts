import type { Attempt, Progress } from '../ledger/port.ts';
import type { AttemptRef } from './types.ts';

/** In place of an attempt where none was opened. */
export const NO_ATTEMPT: AttemptRef = { id: '', fence: 0, number: 0 };
export const NO_PROGRESS: Progress = {
  successfulInstanceCount: 0,
  failedInstanceCount: 0,
  inProgressInstanceCount: 0,
  pendingInstanceCount: 0,
};

/** What a workflow needs to know of an attempt. */
export function reference({ id, fence, number }: Attempt): AttemptRef {
  return { id, fence, number };
}
