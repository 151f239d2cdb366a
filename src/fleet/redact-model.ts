import { isJsonObject, type Json } from './wire-shape.ts';

/** Names of properties that hold secrets, whatever they are in; also of those that have no business outside `protectedSettings`. */
const SECRET =
  /protectedsettings|password|secret|customdata|userdata|unattendcontent|accountkey|accesskey|privatekey|connectionstring|sastoken/i;

export const REDACTED = '(redacted)';

/** A model as it may be shown: without secrets, and without the query and the user of any URL, which is where tokens are. */
export function redactModel(model: Json): Json {
  return redact(model) as Json;
}

function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactUrl(value);
  if (Array.isArray(value)) return value.map(redact);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const isSecret = SECRET.test(key) && item !== null && item !== undefined;
      return [key, isSecret ? REDACTED : redact(item)];
    }),
  );
}

/** URLs may stand in the middle of a text, such as a command line. */
function redactUrl(text: string): string {
  return text
    .replace(/(https?:\/\/)[^\s"'/?#@]*@/gi, `$1${REDACTED}@`)
    .replace(/(https?:\/\/[^\s"'?#]+)[?#][^\s"']*/gi, `$1?${REDACTED}`);
}
