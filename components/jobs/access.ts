import type { DataAccess } from "../target.ts";

/** Where the data of an architecture is, as far as it decides on who may do what with it. */
export interface DataNames {
  readonly topic: string;
  readonly deadLetterTopic: string;
  /** Folders. */
  readonly masterDataset: string;
  readonly openChunks: string;
  readonly batchViews: string;
}

/** Where Hadoop keeps the files that belong to a running job, and the history of those that have ended. */
const jobFiles = "/tmp";

const all = ["list", "read", "write", "delete"] as const;

/**
 * The archiver reads events, sets some of them aside, and adds to the master dataset: there it never deletes or
 * replaces. It does delete parts of chunks that are whole by now, and records that are safe elsewhere; and it writes the
 * markers that close a slow partition's chunk.
 */
export function archiverAccess({ topic, deadLetterTopic, masterDataset, openChunks }: DataNames): DataAccess {
  return {
    topics: [
      { name: topic, operations: ["read", "write", "trim"] },
      { name: deadLetterTopic, operations: ["read", "write"] },
    ],
    folders: [
      { path: masterDataset, operations: ["list", "read", "add"] },
      { path: openChunks, operations: all },
    ],
  };
}

/** The serving layer looks how far everything reaches. */
export function servingAccess({ topic, deadLetterTopic, masterDataset }: DataNames): DataAccess {
  return {
    topics: [
      { name: topic, operations: ["describe"] },
      { name: deadLetterTopic, operations: ["describe"] },
    ],
    folders: [{ path: masterDataset, operations: ["list"] }],
  };
}

/** The speed layer reads events. */
export function speedAccess({ topic }: DataNames): DataAccess {
  return { topics: [{ name: topic, operations: ["read"] }] };
}

/**
 * A batch run looks for input, hands its job to Hadoop, gives Druid addresses of the output, and clears up. Where it is
 * asked for, it closes chunks that are not full, and writes down what is lost.
 */
export function batchAccess({ topic, masterDataset, openChunks, batchViews }: DataNames): DataAccess {
  return {
    topics: [{ name: topic, operations: ["read", "write"] }],
    folders: [
      { path: "/", operations: ["list"] },
      { path: masterDataset, operations: ["read", "add"] },
      // Of a former life of the log parts count on as they are.
      { path: openChunks, operations: ["read"] },
      { path: batchViews, operations: ["read", "delete"] },
      { path: jobFiles, operations: all },
    ],
  };
}

/** A recomputation is a batch run that also looks how far the speed layer has to go. */
export function recomputationAccess(names: DataNames): DataAccess {
  const { topic, masterDataset } = names;
  const folders = (batchAccess(names).folders ?? []).map((folder) =>
    folder.path === masterDataset ? { ...folder, operations: ["read"] as const } : folder,
  );
  return { topics: [{ name: topic, operations: ["describe"] }], folders };
}

/** The tasks of a batch run read events and write output. */
export function tasksAccess({ masterDataset, openChunks, batchViews }: DataNames): DataAccess {
  return {
    folders: [
      { path: "/", operations: ["list"] },
      { path: masterDataset, operations: ["read"] },
      { path: openChunks, operations: ["read"] },
      { path: batchViews, operations: all },
      { path: jobFiles, operations: all },
    ],
  };
}

/** The history server takes over the files of jobs that have ended. */
export const historyAccess: DataAccess = {
  folders: [
    { path: "/", operations: ["list"] },
    { path: jobFiles, operations: all },
  ],
};
