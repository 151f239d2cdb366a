/**
 * What rollouts can be found by in `temporal workflow list` and the Web UI. Workflow code imports this file: it must
 * stay free of node modules. Attributes must be registered before a workflow uses one, or its task fails for ever.
 */
import { SearchAttributeType, defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { imageLabel, type ImageVersion } from '../domain/image.ts';

export const searchAttributes = {
  /** The image's name, without its version. */
  image: defineSearchAttributeKey('RolloutImage', SearchAttributeType.KEYWORD),
  imageVersion: defineSearchAttributeKey('RolloutImageVersion', SearchAttributeType.KEYWORD),
  /** The full ARM id: workflow ids hold a hash of it. */
  scaleSet: defineSearchAttributeKey('RolloutScaleSet', SearchAttributeType.KEYWORD),
  region: defineSearchAttributeKey('RolloutRegion', SearchAttributeType.KEYWORD),
  phase: defineSearchAttributeKey('RolloutPhase', SearchAttributeType.INT),
  status: defineSearchAttributeKey('RolloutStatus', SearchAttributeType.KEYWORD),
} as const;

/** One attribute as registering it needs it. */
export interface SearchAttributeDefinition {
  readonly name: string;
  readonly type: SearchAttributeType;
}

/** Every attribute that a server must know. */
export const searchAttributeDefinitions: readonly SearchAttributeDefinition[] =
  Object.values(searchAttributes);

/** What every workflow of a rollout is found by when it begins. */
export function attributesOf({ image, version }: ImageVersion): SearchAttributePair[] {
  return [
    { key: searchAttributes.image, value: imageLabel(image) },
    { key: searchAttributes.imageVersion, value: version },
    { key: searchAttributes.status, value: 'Running' },
  ];
}
