import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, problemOfText } from '../../src/domain/plain-text.ts';

describe('a text that people will read', () => {
  it.each(['web', 'Ünïcode ✓ 漢字 😀', "it's 100 % ok; <b>&amp;</b> ../..", 'a'.repeat(20)])(
    'may be %j',
    (text) => {
      expect(problemOfText(text, 60)).toBeNull();
      expect(printable(text)).toBe(text);
    },
  );

  it.each([
    ['an escape sequence', 'web\u001b[2J', '\\u001b'],
    ['one of a single sign', 'web\u009b2J', '\\u009b'],
    ['a line break', 'web\nfine', '\\u000a'],
    ['a tab', 'web\tfine', '\\u0009'],
    ['a NUL', 'web\u0000', '\\u0000'],
    ['a line separator', 'web\u2028fine', '\\u2028'],
    ['another direction of writing', 'gpj\u202eexe', '\\u202e'],
    ['half a pair', 'web\ud83d', '\\ud83d'],
    ['the other half', 'web\ude00', '\\ude00'],
  ])('has no %s', (_, text, sign) => {
    expect(problemOfText(text, 60)).toBe(`has the sign ${sign}, which is not allowed: leave it out`);
  });

  it('has an end', () => {
    expect(problemOfText('a'.repeat(61), 60)).toBe('has 61 characters: give at most 60');
  });
});

describe('what is written to a terminal', () => {
  it('acts on nothing, and keeps its lines', () => {
    expect(printable('one\u001b]0;title\u0007\ntwo\r')).toBe('one\\u001b]0;title\\u0007\ntwo\\u000d');
  });

  it('means the same within JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const written = printable(JSON.stringify({ text }));
        expect(JSON.parse(written)).toEqual({ text });
        expect(written).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      }),
    );
  });
});
