/**
 * Random numbers in [0, 1) that depend on nothing but the seed and the index: the finalizer of MurmurHash3 over a
 * counter (as SplitMix does), good enough for test data.
 */
export function randomNumbers(seed: number, index: number): () => number {
  let state = mix(mix(seed ^ 0x9e3779b9) + index) ^ mix(Math.floor(index / 2 ** 32) + 0x85ebca6b);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return (mix(state) >>> 0) / 2 ** 32;
  };
}

function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
