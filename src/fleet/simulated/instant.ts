import { z } from 'zod';

/** An ISO 8601 time in JSON, read as an instant; an instant is taken as it is, so that what was read can be read again. */
export const isoInstant = z.union(
  [z.int(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))],
  {
    error:
      'give a time in ISO 8601, such as 2026-01-05T10:00:00Z; in a scenario also one after its start, such as 1h30m',
  },
);
