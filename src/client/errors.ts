/** How the command ends (issue 3): programs branch on these numbers. */
export const EXIT = {
  ok: 0,
  failure: 1,
  /** Halted or faulted. */
  halted: 2,
  cancelled: 4,
  timedOut: 5,
  /** As in BSD's sysexits: what was asked for makes no sense, or not of this fleet. */
  usage: 64,
  /** 128 + SIGINT. */
  interrupted: 130,
} as const;

/** What a program can branch on; `message` is for people and says what was wrong, where, and what to do. */
export type ClientErrorCode = 'Usage' | 'Conflict' | 'NotHalted' | 'NotEligible' | 'Closed' | 'NoAnswer';

/** Refusals of the client library. Faults of the database and of Temporal pass as they are. */
export class ClientError extends Error {
  override readonly name: string = 'ClientError';
  readonly code: ClientErrorCode;
  readonly exitCode: number;
  /** The workflow or rollout that it is about. */
  readonly rolloutId: string | undefined;

  constructor(
    code: ClientErrorCode,
    message: string,
    { rolloutId, exitCode = EXIT.failure }: { rolloutId?: string; exitCode?: number } = {},
  ) {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
    this.rolloutId = rolloutId;
  }
}

/** Bad input: the caller has to ask for something else. The command exits with 64. */
export class UsageError extends ClientError {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super('Usage', message, { exitCode: EXIT.usage });
  }
}

/** Something that runs is in the way (rule B12, or a rollout of the same version). */
export function conflict(message: string, rolloutId?: string): ClientError {
  return new ClientError('Conflict', message, rolloutId === undefined ? {} : { rolloutId });
}
