import { imageKey, type PlatformImage } from './image.ts';

/** Publisher, offer and SKU of the platform images that can be upgraded automatically: the article's table (rule A6). */
export const SUPPORTED_PLATFORM_SKUS: readonly (readonly [publisher: string, offer: string, sku: string])[] =
  [
    ['Canonical', 'UbuntuServer', '18.04-LTS'],
    ['Canonical', 'UbuntuServer', '18_04-LTS-Gen2'],
    ['Canonical', '0001-com-ubuntu-server-focal', '20_04-LTS'],
    ['Canonical', '0001-com-ubuntu-server-focal', '20_04-LTS-Gen2'],
    ['Canonical', '0001-com-ubuntu-server-jammy', '22_04-LTS'],
    ['MicrosoftCblMariner', 'Cbl-Mariner', 'cbl-mariner-1'],
    ['MicrosoftCblMariner', 'Cbl-Mariner', '1-Gen2'],
    ['MicrosoftCblMariner', 'Cbl-Mariner', 'cbl-mariner-2'],
    ['MicrosoftCblMariner', 'Cbl-Mariner', 'cbl-mariner-2-Gen2'],
    ['MicrosoftSqlServer', 'Sql2017-ws2019', 'enterprise'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2012-R2-Datacenter'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2016-Datacenter'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2016-Datacenter-gensecond'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2016-Datacenter-gs'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2016-Datacenter-smalldisk'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2016-Datacenter-with-Containers'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2016-Datacenter-with-containers-gs'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2019-Datacenter'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2019-Datacenter-Core'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2019-Datacenter-Core-with-Containers'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2019-Datacenter-gensecond'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2019-Datacenter-gs'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2019-Datacenter-smalldisk'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2019-Datacenter-with-Containers'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2019-Datacenter-with-Containers-gs'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2022-Datacenter'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2022-Datacenter-smalldisk'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2022-Datacenter-smalldisk-g2'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2022-Datacenter-core'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2022-Datacenter-core-smalldisk'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2022-Datacenter-g2'],
    ['MicrosoftWindowsServer', 'WindowsServer', 'Datacenter-core-20h2-with-containers-smalldisk-gs'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2022-Datacenter-azure-edition'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2022-Datacenter-azure-edition-smalldisk'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2022-Datacenter-azure-edition-core'],
    ['MicrosoftWindowsServer', 'WindowsServer', '2022-Datacenter-azure-edition-core-smalldisk'],
  ];

const supportedKeys = new Set(
  SUPPORTED_PLATFORM_SKUS.map(([publisher, offer, sku]) =>
    imageKey({ kind: 'platform', publisher, offer, sku }),
  ),
);

/** True when the image is in the table, ignoring case (rules A6, C2). */
export function isSupportedPlatformImage(image: PlatformImage): boolean {
  return supportedKeys.has(imageKey(image));
}
