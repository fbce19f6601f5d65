import { defineConfig } from "vitest/config";

/** Tests that start real servers: one after another, each with time to start them. */
const real = "test/**/*.real.test.ts";

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: "unit", include: ["test/**/*.test.ts"], exclude: [real], testTimeout: 20_000 },
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
    ],
  },
});
