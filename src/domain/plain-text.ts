/**
 * What a name or a reason may be. Signs that are not seen, or that change what is seen of others, would let a text act on the terminal of
 * whoever reads it: control characters (C0, C1), line separators, marks that turn the direction of writing, halves of a surrogate pair.
 */
const UNSEEN = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}\ufeff]/u;
const ALL_UNSEEN = new RegExp(UNSEEN, 'gu');

/** Longer than any name, id or version that ARM allows: an id with all its parts at their longest has less than 500 characters. */
export const LONGEST_NAME = 512;
/** Of a reason that a person gives, and of who it is. */
export const LONGEST_REASON = 1_000;

/**
 * What is wrong with a text that people will read, in words that may follow it; null if nothing is.
 * @param longest in UTF-16 units
 */
export function problemOfText(text: string, longest: number): string | null {
  if (text.length > longest) return `has ${text.length} characters: give at most ${longest}`;
  const unseen = UNSEEN.exec(text);
  return unseen === null ? null : `has the sign ${escaped(unseen[0])}, which is not allowed: leave it out`;
}

/**
 * A text as it may be written to a terminal: what is not seen stands there as `\u001b`. Line breaks stay. Within JSON it means the same
 * as before.
 */
export function printable(text: string): string {
  return text.replace(ALL_UNSEEN, (sign) => (sign === '\n' ? sign : escaped(sign)));
}

function escaped(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
