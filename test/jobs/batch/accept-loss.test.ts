import { describe, expect, it } from "vitest";
import { lostName, partitionFolder, partName } from "../../../jobs/archive/layout.ts";
import { acceptLosses } from "../../../jobs/batch/accept-loss.ts";

const configuration = {
  topic: "readings",
  partitions: 1,
  chunkSize: 10,
  masterDataset: "/master",
  openChunks: "/open",
  incarnation: 1,
};
const folder = partitionFolder("/master", { ...configuration, partition: 0 });
const openFolder = partitionFolder("/open", { ...configuration, partition: 0 });

/** A partition with files, and a log from one offset to another. */
function partitionWith(earliest: number, latest: number, files: readonly string[]) {
  const stored = new Set(files);
  const sent: unknown[] = [];
  const accept = (partitions = 1) =>
    acceptLosses({
      configuration: { ...configuration, partitions },
      reader: { watermarks: async () => ({ 0: { earliest, latest: latest + sent.length, leaderEpoch: 0 } }) },
      storage: {
        list: async (path) =>
          [...stored].filter((one) => one.startsWith(`${path}/`)).map((one) => one.slice(path.length + 1)),
        publish: async (path) => {
          stored.add(path);
          return true;
        },
      },
      markers: { send: async (markers) => void sent.push(...markers) },
      report: () => {},
    });
  return { accept, stored, sent };
}

describe("acceptLosses", () => {
  const marker = { key: "lambda-architecture/seal", value: null, partition: 0 };

  it("closes the open chunk that the loss is in, so that a batch view can say that it is accepted", async () => {
    const { accept, stored, sent } = partitionWith(24, 27, []);
    expect(await accept(2)).toEqual({ 0: 30 });
    expect([...stored]).toEqual([`${folder}/${lostName({ start: 0, end: 24 })}`]);
    expect(sent).toEqual([marker, marker, marker]);
    // Done again, it changes nothing.
    expect(await accept()).toEqual({ 0: 30 });
    expect([stored.size, sent.length]).toEqual([1, 3]);
  });

  it("closes no chunk that lacks nothing: behind the loss's chunk, at its edge, or with all that Kafka lost in parts", async () => {
    const behind = partitionWith(14, 27, []);
    expect(await behind.accept()).toEqual({ 0: 20 });
    const atEdge = partitionWith(20, 27, []);
    expect(await atEdge.accept()).toEqual({ 0: 20 });
    const inPart = partitionWith(4, 7, [`${openFolder}/${partName({ start: 0, end: 4 }, 0)}`]);
    expect(await inPart.accept()).toEqual({});
    expect([behind.sent, atEdge.sent, inPart.sent]).toEqual([[], [], []]);
  });

  it("closes the chunk of a loss that was accepted before, if whoever accepted it was killed then", async () => {
    const { accept, sent } = partitionWith(4, 7, [`${folder}/${lostName({ start: 0, end: 4 })}`]);
    expect(await accept()).toEqual({ 0: 10 });
    expect(sent).toEqual([marker, marker, marker]);
  });
});
