import { segmentCopies } from "../../components/druid/membership-plan.ts";
import { replicationFactor as kafkaCopies } from "../../components/kafka/configuration.ts";
import type { ResourceChange } from "./changes.ts";
import type { PlannedResource } from "./plan.ts";

/** How many servers of a store have its data, and how many of them the same. */
interface Copies {
  readonly servers: number;
  readonly copies: number;
}

/** A store: what its servers are, what they keep, and how many copies there are. */
interface Store {
  readonly servers: string;
  readonly data: string;
  /** What a single copy means. Default: the loss of one server loses data */
  readonly alone?: string;
  /** Undefined where that is somebody else's to say. */
  copies(inputs: PlannedResource["inputs"]): Copies | undefined;
}

const number = (value: unknown, otherwise = 1) => (typeof value === "number" ? value : otherwise);

/** By the type of the component, or of the resource that a managed service is. */
const stores: readonly (readonly [type: RegExp, store: Store])[] = [
  [
    /^lambda-architecture:index:CassandraCluster$/,
    {
      ...{ servers: "nodes", data: "every row of the speed views and of the pointers" },
      copies: ({ replicas, keyspaces }) => {
        const servers = number(replicas);
        const [first] = (keyspaces ?? []) as readonly { readonly replicationFactor?: number }[];
        return { servers, copies: first?.replicationFactor ?? Math.min(servers, 3) };
      },
    },
  ],
  [
    /^lambda-architecture:index:KafkaCluster$/,
    {
      ...{ servers: "brokers", data: "every event that is in Kafka" },
      copies: ({ replicas }) =>
        typeof replicas === "number" ? { servers: replicas, copies: kafkaCopies(replicas) } : undefined,
    },
  ],
  [
    /^aws:msk\/cluster:Cluster$/,
    {
      ...{ servers: "brokers", data: "every event that is in Kafka" },
      copies: ({ numberOfBrokerNodes }) => {
        const servers = number(numberOfBrokerNodes);
        return { servers, copies: kafkaCopies(servers) };
      },
    },
  ],
  [
    /^lambda-architecture:index:HdfsStorage$/,
    {
      ...{ servers: "DataNodes", data: "every block of the master dataset" },
      copies: ({ dataNodes, replication }) => ({ servers: number(dataNodes), copies: number(replication) }),
    },
  ],
  [
    /^lambda-architecture:index:DruidCluster$/,
    {
      ...{ servers: "historicals", data: "every segment of the batch views" },
      alone: "while one is away nothing answers for what it has; the segments themselves are in deep storage",
      copies: ({ historicals }) => ({
        servers: number(historicals),
        copies: segmentCopies(number(historicals)),
      }),
    },
  ],
  [
    /^lambda-architecture:index:ZooKeeperEnsemble$/,
    {
      ...{ servers: "servers", data: "what ZooKeeper knows of Storm and Druid" },
      alone: "while it is away neither of them can change anything",
      copies: ({ replicas }) => ({ servers: number(replicas), copies: number(replicas) }),
    },
  ],
];

/** Sentences on the stores that have fewer copies of their data, or fewer servers for it, than before. */
export function lossOfCopies(changes: readonly ResourceChange[]): string[] {
  const sentences = changes.flatMap(({ before, after }) => {
    const store = stores.find(([type]) => type.test(after.type))?.[1];
    const [old, news] = [store?.copies(before.inputs), store?.copies(after.inputs)];
    if (store === undefined || old === undefined || news === undefined) return [];
    const fewer = news.servers < old.servers ? `${old.servers} → ${news.servers} ${store.servers}` : "";
    if (news.copies < old.copies)
      return [
        {
          copies: news.copies,
          text: `\`${after.name}\`: ${fewer && `${fewer}, `}copies of ${store.data} ${old.copies} → ${news.copies}: ${withCopies(store, news.copies)}`,
        },
      ];
    return fewer === "" ? [] : [{ copies: news.copies, text: `\`${after.name}\`: ${fewer}, copies as before` }];
  });
  return sentences.sort((a, b) => a.copies - b.copies).map(({ text }) => text);
}

function withCopies({ alone }: Store, copies: number): string {
  if (copies > 1) return "fewer servers may be away at once";
  return alone ?? "**the loss of one server loses data**, and while one is away nothing answers for what it has";
}
