import { defineConfig } from "vitest/config";

/** Seconds that a test of each kind may take; those but the unit tests start servers, and run one after another. */
const kinds = {
  /** Tests that start real servers. */
  real: 600,
  /** Tests that change a running architecture for long: its views' code, the number of its servers. */
  long: 1800,
  /** Tests that start a Docker daemon of their own and build images for it: they take longer than all others. */
  docker: 1800,
  /** Tests on a Kubernetes control plane, which takes half an hour to build where nothing of it is built yet. */
  kubernetes: 1800,
  /** Tests on an S3 server, which is installed from PyPI where it is not there yet. */
  storage: 600,
};
const pattern = (kind: string) => `test/**/*.${kind}.test.ts`;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: Object.keys(kinds).map(pattern),
          // All of the machine's: the default leaves one to the person, half of a small machine.
          maxWorkers: "100%",
          // Guards against what never ends: nothing is asserted of how long something takes, on a busy machine least.
          testTimeout: 180_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      ...Object.entries(kinds).map(([name, seconds]) => ({
        test: {
          name,
          include: [pattern(name)],
          fileParallelism: false,
          testTimeout: seconds * 1_000,
          hookTimeout: 600_000,
          expect: { poll: { timeout: 30_000 } },
        },
      })),
    ],
  },
});
