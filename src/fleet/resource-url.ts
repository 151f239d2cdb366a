/**
 * A URL as the fleet compares it and as it may be told: lower case, without query and fragment, where SAS tokens are.
 */
export function resourceUrl(url: string): string {
  return url.replace(/[?#].*$/s, '').toLowerCase();
}
