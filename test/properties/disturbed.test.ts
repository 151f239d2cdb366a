import { expect, it } from 'vitest';
import { disturbedCase } from './random-case.ts';
import { findCounterexample } from './properties.ts';

it('every rule holds whatever dies, and whenever (B1 to B12, D1, D4, E4)', async () => {
  expect(await findCounterexample('disturbed', disturbedCase(), 0.5)).toBe(null);
});
