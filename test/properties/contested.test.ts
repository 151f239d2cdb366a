import { expect, it } from 'vitest';
import { contestedCase } from './random-case.ts';
import { findCounterexample } from './properties.ts';

it('one budget is kept whatever kinds are asked for, and whenever (B2, B12)', async () => {
  expect(await findCounterexample('contested', contestedCase(), 0.08)).toBe(null);
});
