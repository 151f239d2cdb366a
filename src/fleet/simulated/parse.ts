import { z } from 'zod';

/** Reads JSON by a schema. @throws Error that names every path that is wrong, and why */
export function parseOrExplain<T extends z.ZodType>(schema: T, value: unknown, subject: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(`${subject} cannot be used:\n${z.prettifyError(parsed.error)}`);
}
