import { printable } from '../../domain/plain-text.ts';

/*
 * Text with a meaning, which becomes a colour at the very end: cutting a line to the terminal's width must not cut
 * through an escape sequence.
 */

/** `good` went well, `busy` is under way, `wait` waits, `bad` needs a person's eye, `dim` is not in the foreground. */
export type Style = 'plain' | 'bold' | 'dim' | 'good' | 'busy' | 'wait' | 'bad';

export interface Span {
  text: string;
  style: Style;
}

export type Line = Span[];

const CODES: Record<Style, string> = {
  plain: '',
  bold: '1',
  dim: '2',
  good: '32',
  busy: '36',
  wait: '33',
  bad: '31',
};

export function span(text: string, style: Style = 'plain'): Span {
  return { text: printable(text).replaceAll('\n', ' '), style };
}

/** Columns that a line takes: every character that is drawn here is one column wide. */
export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + text.length, 0);
}

/** The same line, filled up with blanks to a width, and with one at least: columns never touch. */
export function padded(line: Line, width: number): Line {
  return [...line, span(' '.repeat(Math.max(1, width - widthOf(line))))];
}

/** The line as text, cut to `columns` with an ellipsis where something is missing. */
export function paint(line: Line, columns: number, color: boolean): string {
  return cut(line, columns)
    .map(({ text, style }) =>
      color && CODES[style] !== '' ? `\u001B[${CODES[style]}m${text}\u001B[0m` : text,
    )
    .join('')
    .trimEnd();
}

/** Our own colours, and the end of them. */
const PAINT = new RegExp(`(\u001B\\[(?:0|${Object.values(CODES).filter(Boolean).join('|')})m)`);

/** What may be written to a terminal that shows colours: names and reasons in it act on nothing else, see `printable`. */
export function forTerminal(text: string): string {
  return text
    .split(PAINT)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join('');
}

function cut(line: Line, columns: number): Line {
  if (widthOf(line) <= columns) return line;
  const kept: Line = [];
  let left = Math.max(0, columns - 1);
  for (const { text, style } of line) {
    if (left <= 0) break;
    kept.push(span(text.slice(0, left), style));
    left -= text.length;
  }
  return columns > 0 ? [...kept, span('…', 'dim')] : [];
}

/** The parts of a bar, each from 0 to 1; together at most 1. */
export interface BarParts {
  good: number;
  bad: number;
  busy: number;
}

/**
 * A progress bar. What is not nothing is seen: a part above 0 has a column at least, and only a whole fills the bar.
 * Without colour the parts are told apart by their characters.
 */
export function bar(parts: BarParts, width: number): Line {
  let free = width;
  const take = (share: number): number => {
    const columns = share <= 0 ? 0 : Math.min(free, Math.max(1, Math.floor(share * width + 1e-9)));
    free -= columns;
    return columns;
  };
  const bad = take(parts.bad);
  const good = take(parts.good);
  const busy = take(parts.busy);
  return [
    span('━'.repeat(good), 'good'),
    span('×'.repeat(bad), 'bad'),
    span('╍'.repeat(busy), 'busy'),
    span('─'.repeat(free), 'dim'),
  ].filter(({ text }) => text !== '');
}
