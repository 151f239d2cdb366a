import { Ajv } from 'ajv';

/** Attributes of CloudEvents 1.0 by their rules, in the JSON format: section 3 of its specification. */
const SCHEMA = {
  type: 'object',
  required: ['specversion', 'id', 'source', 'type'],
  properties: {
    specversion: { const: '1.0' },
    id: { type: 'string', minLength: 1 },
    source: { type: 'string', minLength: 1, pattern: "^[A-Za-z0-9\\-._~:/?#\\[\\]@!$&'()*+,;=%]+$" },
    type: { type: 'string', minLength: 1, pattern: '^[a-z]+(\\.[a-z]+)+$' },
    subject: { type: 'string', minLength: 1 },
    time: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?Z$' },
    datacontenttype: { const: 'application/json' },
    data: { type: 'object' },
  },
  // What else stands beside these is an extension, whose name has letters and digits alone and whose value is plain.
  patternProperties: { '^[a-z0-9]{1,20}$': {} },
  additionalProperties: false,
} as const;

const validate = new Ajv({ allErrors: true }).compile(SCHEMA);

/** What is wrong with a message that should be a CloudEvent; empty if nothing is. */
export function problemsOfCloudEvent(message: unknown): string[] {
  return validate(message) ? [] : (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message ?? ''}`);
}
