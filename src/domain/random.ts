/**
 * Seeded randomness: a number that depends on nothing but the seed and what it is for, so that a run can be
 * repeated, and a retried activity draws the same delay again.
 */

/** FNV-1a with a final avalanche: 32 well mixed bits of a text. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Twelve hexadecimal digits that stand for a longer text in an id. */
export function shortHash(text: string): string {
  return (
    hash32(text).toString(16).padStart(8, '0') + hash32(`${text}#`).toString(16).padStart(8, '0')
  ).slice(0, 12);
}

/** A number in [0, 1) fixed by the parts. */
export function uniform(...parts: (string | number)[]): number {
  return hash32(parts.join('\u001f')) / 0x1_0000_0000;
}

/** A whole number in [min, max], both included, fixed by the parts. */
export function uniformInt(min: number, max: number, ...parts: (string | number)[]): number {
  return min + Math.floor(uniform(...parts) * (max - min + 1));
}
