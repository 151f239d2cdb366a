/** What is wrong with one property of a model. */
export interface ModelIssue {
  /** Azure's error code for it. */
  code:
    | 'InvalidParameter'
    | 'BadRequest'
    | 'PropertyChangeNotAllowed'
    | 'OperationNotAllowed'
    | 'PlatformImageNotFound';
  /** The property's path. */
  target: string;
  /** What is wrong and what to do. */
  message: string;
}

/** A scale set's model that cannot be taken, with every reason. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly issues: readonly ModelIssue[];

  constructor(subject: string, issues: readonly ModelIssue[]) {
    super(
      `The model of ${subject} cannot be used: ${issues.map((issue) => `${issue.target}: ${issue.message}`).join(' ')}`,
    );
    this.issues = issues;
  }
}
