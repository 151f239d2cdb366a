export { findTemporalCli, findTestServer, type FindOptions } from './find.ts';
export { guardedCommand, guardedScript } from './guard.ts';
export {
  ServerNotFoundError,
  reportToStderr,
  type Attempt,
  type FoundServer,
  type Report,
} from './source.ts';
