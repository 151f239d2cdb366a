/** What a line of the log is about: the same fields of workflows and of activities, so that one search finds all. */
export interface LogSubject {
  rolloutId?: string;
  phase?: number;
  region?: string;
  scaleSetId?: string;
  attemptId?: string;
  batch?: number;
}

/**
 * Read from the input of any workflow or activity, all of which name their parts alike.
 * @param input whatever they were given
 */
export function logSubjectOf(input: unknown): LogSubject {
  if (typeof input !== 'object' || input === null) return {};
  const { rolloutId, phase, region, scaleSetId, attempt, batch } = input as Record<string, unknown>;
  const attemptId = typeof attempt === 'object' && attempt !== null ? (attempt as { id?: unknown }).id : null;
  return {
    ...(typeof rolloutId === 'string' ? { rolloutId } : {}),
    ...(typeof phase === 'number' ? { phase } : {}),
    ...(typeof region === 'string' ? { region } : {}),
    ...(typeof scaleSetId === 'string' ? { scaleSetId } : {}),
    ...(typeof attemptId === 'string' ? { attemptId } : {}),
    ...(typeof batch === 'number' ? { batch } : {}),
  };
}
