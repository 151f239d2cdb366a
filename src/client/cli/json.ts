import { isoTime } from '../../domain/clock.ts';

/** Names of instants: everything else that is a number is a length of time in milliseconds, or a count. */
const INSTANT = /(At|Until|Since)$|^(at|now|since|until|start|end|bakeEnd)$/;

/** One line of JSON. Instants, which are numbers within, are ISO texts for whoever reads this. */
export function json(value: unknown): string {
  return JSON.stringify(value, (key, member: unknown) =>
    typeof member === 'number' && INSTANT.test(key) ? isoTime(member) : member,
  );
}
