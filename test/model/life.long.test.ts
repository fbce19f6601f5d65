// The same as life.test.ts, for as long as one likes.
process.env.LIFE_RUNS ??= "3000";
await import("./life.test.ts");
