import { z } from 'zod';
import { LONGEST_NAME, problemOfText } from '../domain/plain-text.ts';

/** A name, an id, a version: anything short that people will read, from a file or a model. */
export function textSchema(error: string, longest = LONGEST_NAME) {
  return z
    .string({ error })
    .min(1, { error })
    .superRefine((text, context) => {
      const problem = problemOfText(text, longest);
      if (problem !== null) context.addIssue({ code: 'custom', message: `the text ${problem}` });
    });
}
