import type { Command } from 'commander';
import { viewImages, type ImageCatalog, type ImageSummary, type VersionOffer } from '../../index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { amount, section, sections, table, time } from '../text.ts';

/** `rollouts fleet images`: what regions offer (rule E3). */
export function addImages(fleet: Command, cli: Cli): void {
  const command = fleet
    .command('images')
    .summary('the images, their versions, and which region offers which')
    .description(
      'Lists the versions of every image, or of one: where they are offered or replicated, from when on, and what `latest` is there. A platform version is the same in all regions.',
    )
    .argument('[image]', "publisher:offer:sku, or a gallery image's ARM id")
    .action(async (image: string | undefined, options: CommonOptions) => {
      const catalog = await cli.with((rollouts) => viewImages(rollouts, image));
      answer(cli, options, catalog, imagesText);
    });
  withCommon(command, [
    'fleet images',
    'fleet images Canonical:0001-com-ubuntu-server-jammy:22_04-lts --output json',
  ]);
}

function imagesText({ now, images }: ImageCatalog): string {
  if (images.length === 0) return 'There are no images here. Fill the fleet by `rollouts fleet seed`.';
  return sections(
    `${amount(images.length, 'image')} at ${time(now)}`,
    ...images.map((image) =>
      section(`${image.image}, used by ${amount(image.scaleSets, 'scale set')}`, versionsText(image)),
    ),
  );
}

function versionsText({ versions }: ImageSummary): string {
  if (versions.length === 0) return '  no version has been published';
  const rows = versions.flatMap(({ version, offers }) =>
    offers.map((offer, i) => [i === 0 ? version : '', offer.region ?? 'all', ...offerCells(offer)]),
  );
  const columns = ['VERSION', 'REGION', 'STATE', 'SINCE', 'LATEST'];
  return table(
    columns.map((title) => ({ title })),
    rows,
    '  ',
  );
}

const STATES: Record<VersionOffer['state'], string> = {
  offered: 'offered',
  pending: 'not yet, from',
  failed: 'replication failed',
};

function offerCells({ state, since, isLatest, excludedFromLatest }: VersionOffer): string[] {
  const latest = isLatest ? 'latest' : excludedFromLatest ? 'kept out of latest' : '-';
  return [STATES[state], since === null ? '-' : time(since), latest];
}
