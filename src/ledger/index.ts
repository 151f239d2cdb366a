export { AlreadyRecordedError, FencedError, NotRecordedError } from './errors.ts';
export { openLedger } from './open-ledger.ts';
