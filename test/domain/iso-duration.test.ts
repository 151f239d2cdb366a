import { describe, expect, it } from 'vitest';
import { formatIsoDuration, parseIsoDuration } from '../../src/domain/iso-duration.ts';

const MINUTE = 60_000;

describe('ISO 8601 durations', () => {
  it.each([
    ['PT0S', 0],
    ['PT5M', 5 * MINUTE],
    ['PT1H30M', 90 * MINUTE],
    ['P1DT12H', 36 * 60 * MINUTE],
    ['P2W', 14 * 24 * 60 * MINUTE],
    ['PT0.5S', 500],
    ['pt10s', 10_000],
  ])('reads %s', (text, duration) => {
    expect(parseIsoDuration(text)).toBe(duration);
  });

  it.each(['', 'P', 'PT', '5M', 'P1M', 'P1Y', 'PT5', 'PT-5M', '00:05:00'])('refuses "%s"', (text) => {
    expect(parseIsoDuration(text)).toBeNull();
  });

  it.each(['PT0S', 'PT5M', 'PT1H30M', 'P1D', 'P1DT0.5S', 'PT90.25S'])('writes what it reads: %s', (text) => {
    const duration = parseIsoDuration(text) as number;
    expect(parseIsoDuration(formatIsoDuration(duration))).toBe(duration);
  });

  it('writes as Azure does', () => {
    expect(formatIsoDuration(0)).toBe('PT0S');
    expect(formatIsoDuration(90 * MINUTE)).toBe('PT1H30M');
  });
});
