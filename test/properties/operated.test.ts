import { expect, it } from 'vitest';
import { operatedCase } from './random-case.ts';
import { findCounterexample } from './properties.ts';

it('every rule holds whatever people do in the middle of it (B1 to B12, C1, C4, D1, D4, D10, E4)', async () => {
  expect(await findCounterexample('operated', operatedCase(), 0.5)).toBe(null);
});
