import type { Command } from 'commander';
import { isoTime } from '../../../domain/clock.ts';
import {
  renewResources,
  viewResources,
  type RenewedResource,
  type ResourceSummary,
  type ResourcesView,
} from '../../index.ts';
import { resourcePlace } from '../../../fleet/index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { amount, sections, table, time } from '../text.ts';

interface RenewOptions extends CommonOptions {
  allExpired?: true;
  until?: string;
}

/** `rollouts fleet resources | renew`: what extensions need from outside the fleet (rule B11). */
export function addResourceCommands(fleet: Command, cli: Cli): void {
  addResources(fleet, cli);
  addRenew(fleet, cli);
}

function addResources(fleet: Command, cli: Cli): void {
  const command = fleet
    .command('resources')
    .summary('what extensions need from outside, and until when it opens')
    .description(
      'Lists the external resources with their credentials and the scale sets whose models name them. Of a token in a URL only what tells it from others is shown.',
    )
    .action(async (options: CommonOptions) => {
      const view = await cli.with((rollouts) => viewResources(rollouts));
      answer(cli, options, view, resourcesText);
    });
  withCommon(command, ['fleet resources', 'fleet resources --output json']);
}

/** Used sets that are named; the others are counted. */
const MOST_NAMED = 3;

function resourcesText({ now, resources }: ResourcesView): string {
  if (resources.length === 0) return 'The fleet has no external resources.';
  const rows = resources.map((resource) => [
    resource.state === 'ok' ? 'ok' : resource.state.toUpperCase(),
    credentialText(resource),
    usersText(resource),
    resource.url,
  ]);
  return sections(
    `${amount(resources.length, 'external resource')} at ${time(now)}`,
    table([{ title: 'STATE' }, { title: 'CREDENTIAL' }, { title: 'USED BY' }, { title: 'RESOURCE' }], rows),
    resources.flatMap((resource) => adviceOn(resource, resources)).join('\n'),
  );
}

/** What to do about one that is used and does not open. */
function adviceOn(resource: ResourceSummary, all: readonly ResourceSummary[]): string[] {
  const { state, usedBy, url } = resource;
  if (state === 'ok' || usedBy.length === 0) return [];
  const users = usersText(resource);
  const place = resourcePlace(url);
  const isRenewed = all.some((other) => other.state === 'ok' && resourcePlace(other.url) === place);
  return state === 'refused' || isRenewed
    ? [
        `! ${users}: the model has a token that does not open ${place}. Give it the new URL: rollouts model set`,
      ]
    : [`! ${users}: extensions that need it fail (rule B11). Renew it: rollouts fleet renew ${place}`];
}

function credentialText({ state, goneAt, credentialExpiresAt }: ResourceSummary): string {
  if (state === 'refused') return 'unknown token';
  if (state === 'gone' && goneAt !== null) return `gone since ${time(goneAt)}`;
  if (credentialExpiresAt === null) return 'opens for ever';
  return `${state === 'expired' ? 'expired' : 'opens until'} ${time(credentialExpiresAt)}`;
}

function usersText({ usedBy }: ResourceSummary): string {
  const names = usedBy.map(({ name }) => name);
  const more = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).join(', ') || '-'}${more > 0 ? ` and ${more} more` : ''}`;
}

function addRenew(fleet: Command, cli: Cli): void {
  const command = fleet
    .command('renew')
    .summary("renew the credential of an extension's external resource")
    .description(
      'Renews the credential that opens an external resource, and puts it back where it was gone: the first step of recovery when an upgrade stopped for it (rule B11). Where the credential is a token in the URL, a new one is given out, or the one that you name. Then update the extension in the model, and apply the model to all instances.',
    )
    .argument('[url]', 'the resource, with its new token if you have one')
    .option('--all-expired', 'every resource that has expired or is gone')
    .option('--until <time>', 'virtual time in ISO 8601 (default: for ever)')
    .action(async (url: string | undefined, options: RenewOptions) => {
      const { allExpired, until } = options;
      const renewed = await cli.with((rollouts) => renewResources(rollouts, { url, allExpired, until }));
      answer(cli, options, { renewed }, () => renewedText(renewed));
    });
  withCommon(command, [
    'fleet renew https://store.example/scripts/setup.sh --until 2027-01-01T00:00:00Z',
    "fleet renew 'https://store.example/scripts/setup.sh?sv=2025&sig=...'",
    'fleet renew --all-expired',
  ]);
}

function renewedText(renewed: readonly RenewedResource[]): string {
  if (renewed.length === 0) return 'No external resource has expired or is gone.';
  return renewed
    .map(({ url, was, until, newUrl }) => {
      const before = { ok: 'was open', expired: 'had expired', gone: 'was gone' }[was];
      const opens = `it opens ${until === null ? 'for ever' : `until ${isoTime(until)}`}`;
      if (newUrl === null) return `${url} ${before}; ${opens}.`;
      const update = newUrl.endsWith(')')
        ? 'Update the extension in the model with the URL that you gave.'
        : `Update the extension in the model with this URL:\n  ${newUrl}`;
      return `${url} ${before}; ${opens} by its new token. ${update}`;
    })
    .join('\n');
}
