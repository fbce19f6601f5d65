import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { listeningInodes, portProblems } from "../../../../components/targets/local/ports.ts";

test("a listener is found on its address or on all, not on a neighbour's", () => {
  const line = (local: string, state: string, inode: number) =>
    `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0`;
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    line("0503097F:2384", "0A", 1),
    line("0603097F:2384", "0A", 2),
    line("00000000:2384", "0A", 3),
    line("0503097F:2384", "01", 4),
    line("0503097F:2385", "0A", 5),
    line("0000000000000000FFFF00000503097F:2384", "0A", 6),
    line("00000000000000000000000000000000:2384", "0A", 7),
  ].join("\n");
  expect([...listeningInodes(table, "127.9.3.5", 9092)]).toEqual([1, 3, 6, 7].map((inode) => `socket:[${inode}]`));
});

test.runIf(process.platform === "linux")(
  "a taken port is told with purpose, process and mend; a free one is fine",
  async () => {
    const stranger = createServer().listen(0, "127.22.0.9");
    await once(stranger, "listening");
    const { port } = stranger.address() as { port: number };
    try {
      const [problem, ...others] = await portProblems("127.22.0.9", { client: port });
      expect(others).toEqual([]);
      expect(problem?.message).toContain(`127.22.0.9:${port} (client) is taken by process ${process.pid} (`);
      expect(await portProblems("127.22.0.10", { client: port })).toEqual([]);
      expect(await portProblems("127.22.0.9", { client: port }, async (pid) => pid === process.pid)).toEqual([]);
    } finally {
      stranger.close();
    }
  },
);
