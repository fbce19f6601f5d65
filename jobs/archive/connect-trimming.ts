import { Admin } from "@platformatic/kafka";
import type { Client } from "cassandra-driver";
import { readAllPointers } from "../batch/pointer.ts";
import type { Configuration } from "../configuration.ts";
import { connectionOptions } from "../kafka/connection.ts";
import { kafkaError } from "../kafka/kafka-error.ts";
import type { TrimServices } from "./trim.ts";

/** Kafka and Cassandra as trimming uses them. Nothing is connected before the first call. */
export function connectTrimming({ kafka, generations }: Configuration, client: Client): TrimServices {
  const admin = new Admin({
    clientId: "archiver",
    bootstrapBrokers: [...kafka.bootstrapServers],
    ...connectionOptions(kafka),
    retries: 2,
    retryDelay: 500,
    connectTimeout: 3_000,
    requestTimeout: 30_000,
  });
  return {
    horizons: async () => {
      const pointers = await readAllPointers(client);
      const missing = Object.entries(generations).filter(
        ([view, generation]) => !pointers.some((pointer) => pointer.view === view && pointer.generation === generation),
      );
      return [...pointers.map(({ pointer }) => pointer.horizon), ...missing.map(() => ({}))];
    },
    deleteRecords: async (topic, before) => {
      const partitions = Object.entries(before).map(([partition, offset]) => ({
        partition: Number(partition),
        offset: BigInt(offset),
      }));
      try {
        await admin.deleteRecords({ topics: [{ name: topic, partitions }] });
      } catch (error) {
        throw kafkaError(error, `deleting records of ${topic}`);
      }
    },
  };
}
