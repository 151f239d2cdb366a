import { DefaultFailureConverter } from '@temporalio/common';

/*
 * Puts messages and stack traces of failures into a payload, which the codec encrypts; without one they would be plain text in the
 * history. Workers load this file by its path, and it is part of the workflow bundle: it may import nothing of Node.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
