/** Why something stops that was cancelled by Temporal's own Cancel, on its workflow or on one above it. */
export const CANCELLED_THROUGH_TEMPORAL = {
  code: 'CancelRequested',
  message: 'Cancelled through Temporal.',
} as const;
