import { humanDuration, isoTime, type Duration, type Instant } from '../../domain/clock.ts';
import { scopeLabel } from '../../domain/scopes.ts';

/** How the command's answers look as text. */

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

/** Rows under a heading, in columns as wide as they need; numbers to the right. Without rows there is no heading. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], indent = ''): string {
  if (rows.length === 0) return '';
  const all = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => (row[index] ?? '').length)));
  const line = (row: readonly string[]) =>
    columns
      .map(({ align }, index) => {
        const cell = row[index] ?? '';
        const padding = ' '.repeat((widths[index] as number) - cell.length);
        return align === 'right' ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  return all.map((row) => indent + line(row)).join('\n');
}

/** Names and values, one a line, the values aligned. Undefined ones are left out. */
export function facts(
  pairs: readonly (readonly [name: string, value: string | undefined])[],
  indent = '',
): string {
  const there = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
  const widest = Math.max(0, ...there.map(([name]) => name.length));
  return there.map(([name, value]) => `${indent}${name.padEnd(widest)}  ${value}`).join('\n');
}

/** Parts with an empty line between them; empty parts are left out. */
export function sections(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

/** A heading with what belongs under it, or nothing when that is nothing. */
export function section(title: string, body: string): string {
  return body === '' ? '' : `${title}\n${body}`;
}

/** `2026-01-05 10:00:12`: virtual time is always UTC here. */
export function time(at: Instant): string {
  return isoTime(at).slice(0, 19).replace('T', ' ');
}

/** `2026-01-05T10:00:12.000Z (in 12 min)` */
export function momentText(at: Instant, now: Instant): string {
  const distance = humanDuration(Math.abs(at - now));
  return `${isoTime(at)} (${at > now ? `in ${distance}` : `${distance} ago`})`;
}

/** `5 h 12 min of virtual time, 47 s by the wall clock at speed 400`; just the time on a real-time clock. */
export function durationText(virtual: Duration, wallMs: Duration, speed: number): string {
  if (speed === 1) return humanDuration(virtual);
  return `${humanDuration(virtual)} of virtual time, ${humanDuration(wallMs)} by the wall clock at speed ${speed}`;
}

/** `rollout/...`, `region eastus of rollout/...`: our ids say themselves that they are a rollout's. */
export function scopeText(scope: string): string {
  return scopeLabel(scope).replace(/\brollout (?=rollout\/|scale-set\/)/, '');
}

/** `1 region`, `12 regions`, `1,200 VMs` */
export function amount(number: number, noun: string, plural = `${noun}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? noun : plural}`;
}

/** The text in lines of at most so many columns, all but the first after `indent` blanks. A longer word has a line of its own. */
export function wrapped(text: string, columns: number, indent = 0): string {
  const [first = '', ...words] = text.split(/(?<=\S) /);
  const lines: string[] = [];
  let line = first;
  for (const word of words) {
    if (line.length + 1 + word.length <= columns) {
      line += ` ${word}`;
      continue;
    }
    lines.push(line);
    line = ' '.repeat(indent) + word;
  }
  return [...lines, line].join('\n');
}
