import { defineConfig } from "vitest/config";

/** Tests that start real servers: one after another, each with time to start them. */
const real = "test/**/*.real.test.ts";
/** Tests that start a Docker daemon of their own and build images for it: they take longer than all others. */
const docker = "test/**/*.docker.test.ts";
/** Tests on a Kubernetes control plane, which takes half an hour to build where nothing of it is built yet. */
const kubernetes = "test/**/*.kubernetes.test.ts";
/** Tests on an S3 server, which is installed from PyPI where it is not there yet. */
const storage = "test/**/*.storage.test.ts";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [real, docker, kubernetes, storage],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "real",
          include: [real],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: "docker",
          include: [docker],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: "kubernetes",
          include: [kubernetes],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: "storage",
          include: [storage],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
