// The same as life.test.ts, for as long as one likes, and other lives each time.
process.env.LIFE_SEED ??= String(Date.now() % 2 ** 31);
process.env.LIFE_RUNS ??= "3000";
await import("./life.test.ts");
