/** The simulated fleet's tables. Instants are virtual milliseconds; ids that ignore case are kept in lower case as keys. */
export interface FleetTables {
  /** One row: the clock, and what the VMs' behaviour follows from. */
  fleet: {
    id: number;
    epoch_virtual: number;
    epoch_wall: number;
    speed: number;
    seed: string;
    /** JSON of `Behaviour`. */
    behaviour: string;
    /** Rises with every change of behaviour or faults: what readers have cached is good while it stays. */
    revision: number;
  };
  regions: {
    name: string;
    display_name: string;
    geography: string;
    paired_region: string | null;
    /** JSON list. */
    availability_zones: string;
  };
  scale_sets: {
    key: string;
    id: string;
    region: string;
    image_key: string;
    /** JSON: the ARM model in wire shape, as written, secrets included. Never leaves the fleet. */
    arm: string;
    /** JSON of the domain's `ScaleSet`, parsed when the model was written. */
    spec: string;
    fence: number;
    /** The latest virtual time at which the set was changed: it never goes back. */
    sim_time: number;
    /** Another one with every change of its instances; '' where none has changed since there are tags. */
    instances_tag: string;
  };
  instances: {
    scale_set_key: string;
    instance_id: string;
    /** The order of ids: by number where they are numbers. */
    position: number;
    zone: string | null;
    update_domain: number | null;
    fault_domain: number | null;
    /** Of the OS disk in place; null while there is none. */
    version: string | null;
    /** JSON of `InstanceState`. */
    state: string;
    /** When the next planned change is due; null when nothing is planned. */
    due_at: number | null;
    /** The operation epoch: the highest fence that began an operation here, and the furthest operation under it. */
    fence: number;
    operation_rank: number;
  };
  /** Of sets that lost instances, or are gone themselves: below it no number is given to an instance again. */
  instance_numbers: { scale_set_key: string; next_number: number };
  instance_operations: {
    scale_set_key: string;
    /** `attempt:instance:operation:ordinal` */
    key: string;
    started_at: number;
    /** Its end is fixed when it begins: how it stands follows from the time of asking. */
    ends_at: number;
    /** JSON of `OperationError`; null if it succeeds. */
    error: string | null;
  };
  images: {
    key: string;
    /** JSON of `Image`. */
    image: string;
  };
  image_versions: {
    image_key: string;
    version: string;
    published_at: number;
    exclude_from_latest: number;
  };
  /** Where gallery versions are, or will be. Platform versions are everywhere and have none. */
  image_replicas: {
    image_key: string;
    version: string;
    region: string;
    /** Replication is complete from then on; null when it failed. */
    replicated_at: number | null;
    exclude_from_latest: number;
  };
  external_resources: {
    /** As `resourceUrl` spells it: a SAS token is a secret. */
    url: string;
    credential_expires_at: number | null;
    gone_at: number | null;
  };
  load_balancers: { key: string; arm: string };
  service_fabric_clusters: { key: string; arm: string };
  faults: {
    id: number;
    /** JSON of `Fault`. */
    fault: string;
    /** How often an `apiError` will still happen; null for other kinds. */
    remaining: number | null;
  };
}
