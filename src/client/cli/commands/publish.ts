import type { Command } from 'commander';
import { isoTime } from '../../../domain/clock.ts';
import { currentInstant, publish, tellImageWatch, type PublishedVersion } from '../../index.ts';
import { answer, collect, withCommon, type Cli, type CommonOptions } from '../cli.ts';

interface Options extends CommonOptions {
  at?: string;
  region?: string[];
}

/** `rollouts publish`: a new version of an image. */
export function addPublishCommand(program: Command, cli: Cli): void {
  const command = program
    .command('publish')
    .summary('publish a new version of an image')
    .description(
      'Publishes a version: of a platform image in all regions, of a gallery image where it is to be replicated. The image watch, where it is on, looks at it at once.',
    )
    .argument('<image>', "publisher:offer:sku, or a gallery image's ARM id")
    .argument('<version>', 'numbers with dots between, such as 22.04.202512050')
    .option('--at <time>', 'virtual time in ISO 8601, past or future (default: now)')
    .option('--region <name>', 'of a gallery image: a region to replicate it to; repeatable', collect)
    .action(async (image: string, version: string, options: Options) => {
      const { at, region: regions } = options;
      const { published, note } = await cli.with(async (rollouts) => {
        const answered = await publish(rollouts, { image, version, at, regions });
        const isThere = answered.publishedAt <= (await currentInstant(rollouts));
        const isNews = answered.kind !== 'existed' && isThere;
        return { published: answered, note: isNews ? await tellImageWatch(rollouts) : null };
      });
      answer(cli, options, published, publishedText);
      if (note !== null) cli.note(note);
    });
  withCommon(command, [
    'publish Canonical:0001-com-ubuntu-server-jammy:22_04-lts 22.04.202512050',
    'publish Canonical:0001-com-ubuntu-server-jammy:22_04-lts 22.04.202512050 --at 2026-01-05T10:00:00Z',
  ]);
}

function publishedText({ kind, image, version, publishedAt, regions }: PublishedVersion): string {
  const where = regions === null ? 'all regions' : regions.join(', ');
  return kind === 'existed'
    ? `${image} ${version} was published before, at ${isoTime(publishedAt)}. Nothing has changed.`
    : `${image} ${version} is published in ${where} at ${isoTime(publishedAt)} (virtual time).`;
}
