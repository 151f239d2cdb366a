import { expect, it } from 'vitest';
import { isModelFault } from '../../src/domain/operation.ts';

it.each([
  ['CredentialExpired: Extension "app" needs a key that expired.', true],
  ['ExternalResourceUnavailable: Extension "app" needs a file that is gone.', true],
  ['ExtensionFailed: Extension "app" ended with exit code 1.', false],
  ['ExtensionFailed: it printed CredentialExpired: see its log.', false],
  ['HealthTimeout: not healthy within 300 s of its last extension.', false],
  ['OsDiskSwapFailed: the new OS disk could not be attached.', false],
  ['CredentialExpiredSoon: no such code.', false],
  [null, false],
])('"%s" is a fault of the model: %s (B11)', (error, expected) => {
  expect(isModelFault(error)).toBe(expected);
});
