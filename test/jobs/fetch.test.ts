import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";
import { expect, test, vi } from "vitest";
import { fetch } from "../../jobs/fetch.ts";

test("requests go by the package's own connections, not by those of Node's fetch, which may be in use already", async () => {
  const server = createServer((_, response) => response.end("rows"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const dispatch = vi.spyOn(Agent.prototype, "dispatch");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    expect(await (await globalThis.fetch(url)).text()).toBe("rows");
    expect(dispatch).not.toHaveBeenCalled();
    expect(await (await fetch(url)).text()).toBe("rows");
    expect(dispatch).toHaveBeenCalledTimes(1);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
