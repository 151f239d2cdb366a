import { expect, it } from 'vitest';
import { SUPPORTED_PLATFORM_SKUS, isSupportedPlatformImage } from '../../src/domain/supported-skus.ts';

/** SKUs by publisher and offer, as Azure lists them. */
const LISTED: Record<string, string> = {
  'Canonical UbuntuServer': '18.04-LTS 18_04-LTS-Gen2',
  'Canonical 0001-com-ubuntu-server-focal': '20_04-LTS 20_04-LTS-Gen2',
  'Canonical 0001-com-ubuntu-server-jammy': '22_04-LTS',
  'MicrosoftCblMariner Cbl-Mariner': 'cbl-mariner-1 1-Gen2 cbl-mariner-2 cbl-mariner-2-Gen2',
  'MicrosoftSqlServer Sql2017-ws2019': 'enterprise',
  'MicrosoftWindowsServer WindowsServer': [
    '2012-R2-Datacenter 2016-Datacenter 2016-Datacenter-gensecond 2016-Datacenter-gs 2016-Datacenter-smalldisk',
    '2016-Datacenter-with-Containers 2016-Datacenter-with-containers-gs 2019-Datacenter 2019-Datacenter-Core',
    '2019-Datacenter-Core-with-Containers 2019-Datacenter-gensecond 2019-Datacenter-gs 2019-Datacenter-smalldisk',
    '2019-Datacenter-with-Containers 2019-Datacenter-with-Containers-gs 2022-Datacenter 2022-Datacenter-smalldisk',
    '2022-Datacenter-smalldisk-g2 2022-Datacenter-core 2022-Datacenter-core-smalldisk 2022-Datacenter-g2',
    'Datacenter-core-20h2-with-containers-smalldisk-gs 2022-Datacenter-azure-edition',
    '2022-Datacenter-azure-edition-smalldisk 2022-Datacenter-azure-edition-core',
    '2022-Datacenter-azure-edition-core-smalldisk',
  ].join(' '),
};

const listed = Object.entries(LISTED).flatMap(([image, skus]) =>
  skus.split(' ').map((sku) => `${image} ${sku}`),
);

it('the platform images with automatic upgrades are the 36 that Azure lists, and no others (rules A6, C2)', () => {
  expect(listed).toHaveLength(36);
  expect(SUPPORTED_PLATFORM_SKUS.map((names) => names.join(' '))).toEqual(listed);
});

it('they are found in any case of letters (rules A6, C2)', () => {
  for (const [publisher, offer, sku] of SUPPORTED_PLATFORM_SKUS) {
    const names = [publisher.toUpperCase(), offer.toLowerCase(), sku.toUpperCase()] as const;
    expect(
      isSupportedPlatformImage({ kind: 'platform', publisher: names[0], offer: names[1], sku: names[2] }),
    ).toBe(true);
  }
});
