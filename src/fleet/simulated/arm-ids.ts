/** A scale set's ARM id. */
export function scaleSetId(spec: { subscriptionId: string; resourceGroup: string; name: string }): string {
  return `${resourceGroupId(spec)}/providers/Microsoft.Compute/virtualMachineScaleSets/${spec.name}`;
}

export function resourceGroupId({
  subscriptionId,
  resourceGroup,
}: {
  subscriptionId: string;
  resourceGroup: string;
}): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
}
