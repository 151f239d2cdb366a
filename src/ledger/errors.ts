/** Refusal of a write by someone whose attempt was taken over by another, or has ended. */
export class FencedError extends Error {
  readonly code = 'Fenced';
  override readonly name = 'FencedError';
}

/** A change of something that was never recorded: the caller's order of steps is wrong. */
export class NotRecordedError extends Error {
  readonly code = 'NotRecorded';
  override readonly name = 'NotRecordedError';
}

/** Refusal to record what is recorded already: somebody was faster. */
export class AlreadyRecordedError extends Error {
  readonly code = 'AlreadyRecorded';
  override readonly name = 'AlreadyRecordedError';
}
