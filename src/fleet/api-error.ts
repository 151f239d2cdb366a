import type { Duration } from '../domain/clock.ts';

/** How a cloud's API fails: for a while, as far as one can know. Asking again is right. */
export type FleetApiErrorCode = 'ServiceUnavailable' | 'GatewayTimeout' | 'TooManyRequests';

export interface FleetApiErrorContext {
  code: FleetApiErrorCode;
  /** ARM id of the scale set that the call was about; null where it was about more than one: a region, the catalog, the clock. */
  scaleSetId: string | null;
  /** How long the API wants to be left alone, where it says so (`Retry-After`). */
  retryAfter?: Duration | null;
}

/** A call of a fleet that failed for a fault of the cloud's API, before or after it was carried out. */
export class FleetApiError extends Error {
  override readonly name = 'FleetApiError';
  readonly code: FleetApiErrorCode;
  readonly scaleSetId: string | null;
  readonly retryAfter: Duration | null;

  constructor(message: string, { code, scaleSetId, retryAfter = null }: FleetApiErrorContext) {
    super(message);
    this.code = code;
    this.scaleSetId = scaleSetId;
    this.retryAfter = retryAfter;
  }
}
