import xxhash from "xxhash-wasm";

const { h64 } = await xxhash();

/** The precision whose indices a small sketch keeps, and the bits of a hash that are left for its ranks. */
const sparsePrecision = 26;
const rankBits = 6;

/** A 64-bit hash as the two words that JavaScript calculates with fast. */
const hash = new BigUint64Array(1);
const words = new Uint32Array(hash.buffer);
const lowWord = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

/** The digits of a dense sketch's text, one a register. */
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * How many different texts were added: a HyperLogLog sketch (Flajolet et al. 2007) of 64-bit hashes (XXH64 over UTF-8).
 *
 * Small sketches keep the hashes' first 26 bits and are practically exact (up to 768 texts at precision 12, with a
 * standard error of 0.02 %); larger ones keep `2^precision` registers, with a standard error of `1.04 / √(2^precision)`.
 * The estimate is Ertl's (2017, "New cardinality estimation algorithms for HyperLogLog sketches"), which needs no
 * tables and has no bias at any size.
 *
 * The sketch is a function of the set of texts alone, whatever the order and the merges: also which of both forms it
 * has. The kept packages do not give that, nor a compact text (`bloom-filters` has registers only, as JSON).
 */
export class HyperLogLog {
  readonly precision: number;
  /** The only one of three that a sketch has: as it was read and not changed since, small, or dense. */
  #entries: Entries | undefined = none;
  /** By index at {@link sparsePrecision}, the largest rank. */
  #sparse: Map<number, number> | undefined;
  /** By index, the largest rank. */
  #registers: Uint8Array | undefined;

  /** @param precision 4 to 16 */
  constructor(precision: number) {
    this.precision = precision;
  }

  /** Adds a text, in place. */
  add(text: string): void {
    hash[0] = h64(text);
    const high = words[1 - lowWord] as number;
    const low = words[lowWord] as number;
    const sparse = this.#changeable();
    if (sparse !== undefined) {
      const rest = high & (2 ** rankBits - 1);
      const rank = rest !== 0 ? Math.clz32(rest) - (32 - rankBits) + 1 : rankBits + Math.clz32(low) + 1;
      this.#addSparse(sparse, high >>> rankBits, rank);
    } else {
      const rest = (high << this.precision) >>> 0;
      const rank = rest !== 0 ? Math.clz32(rest) + 1 : 32 - this.precision + Math.clz32(low) + 1;
      this.#addDense(this.#registers as Uint8Array, high >>> (32 - this.precision), rank);
    }
  }

  /** Adds what another sketch of the same precision counted, in place; the other is left as it is. */
  merge(other: HyperLogLog): void {
    if (other.#registers === undefined) {
      // Nobody changes entries: what has none takes them as they are.
      if (this.#entries?.length === 0 && other.#entries !== undefined) this.#entries = other.#entries;
      else if (other.#entries !== undefined) for (const entry of other.#entries) this.#addEntry(entry);
      else for (const [index, rank] of other.#sparse ?? []) this.#addEntry(entryOf(index, rank));
      return;
    }
    const registers = this.#dense();
    const others = other.#registers as Uint8Array;
    for (let index = 0; index < others.length; index++) this.#addDense(registers, index, others[index] as number);
  }

  /** The estimated number of different texts, a whole number. */
  estimate(): number {
    const registers = this.#registers;
    if (registers === undefined) {
      const cells = 2 ** sparsePrecision;
      const filled = this.#entries?.length ?? this.#sparse?.size ?? 0;
      return Math.round(-cells * Math.log1p(-filled / cells));
    }
    const most = 64 - this.precision;
    const counts = new Float64Array(most + 2);
    for (const rank of registers) counts[rank] = (counts[rank] as number) + 1;
    const cells = registers.length;
    let sum = cells * tau(1 - (counts[most + 1] as number) / cells);
    for (let rank = most; rank >= 1; rank--) sum = 0.5 * (sum + (counts[rank] as number));
    sum += cells * sigma((counts[0] as number) / cells);
    return Math.round(cells ** 2 / (2 * Math.LN2) / sum);
  }

  /** A text that is the same for the same set: `s` and the entries in Base64, or `d` and a digit a register. */
  encode(): string {
    if (this.#registers !== undefined) {
      const text = Buffer.from(this.#registers);
      for (let index = 0; index < text.length; index++) text[index] = digits.charCodeAt(text[index] as number);
      return `d${text.toString("latin1")}`;
    }
    const entries = this.#entries ?? entriesOf(this.#sparse as ReadonlyMap<number, number>);
    const bytes = Buffer.allocUnsafe(entries.length * 4);
    for (let position = 0; position < entries.length; position++)
      bytes.writeUInt32BE(entries[position] as number, position * 4);
    return `s${bytes.toString("base64")}`;
  }

  /**
   * The inverse of {@link encode}.
   *
   * @throws {TypeError} if the text is no sketch of the precision
   */
  static decode(text: string, precision: number): HyperLogLog {
    const sketch = new HyperLogLog(precision);
    if (text[0] === "d" && text.length === 2 ** precision + 1) {
      const registers = sketch.#dense();
      for (let index = 0; index < registers.length; index++) registers[index] = rankOf(text.charCodeAt(index + 1));
      return sketch;
    }
    const bytes = Buffer.from(text.slice(1), "base64");
    if (text[0] !== "s" || bytes.length % 4 !== 0)
      throw new TypeError(`${JSON.stringify(text.slice(0, 20))}… is no sketch of precision ${precision}`);
    const entries = new Uint32Array(bytes.length / 4);
    for (let position = 0; position < entries.length; position++) entries[position] = bytes.readUInt32BE(position * 4);
    sketch.#entries = entries;
    return sketch;
  }

  /** The map of a small sketch, to be changed; undefined of a dense one. */
  #changeable(): Map<number, number> | undefined {
    if (this.#entries !== undefined) {
      this.#sparse = new Map();
      for (const entry of this.#entries) this.#sparse.set(entry >>> rankBits, entry & (2 ** rankBits - 1));
      this.#entries = undefined;
    }
    return this.#sparse;
  }

  #addEntry(entry: number): void {
    const index = entry >>> rankBits;
    const rank = entry & (2 ** rankBits - 1);
    const sparse = this.#changeable();
    if (sparse !== undefined) this.#addSparse(sparse, index, rank);
    else this.#addSparseToDense(this.#registers as Uint8Array, index, rank);
  }

  #addSparse(sparse: Map<number, number>, index: number, rank: number): void {
    const before = sparse.get(index);
    if (before !== undefined && before >= rank) return;
    sparse.set(index, rank);
    // From here on the entries, of 4 bytes, would take more than the registers, of 6 bits.
    if (sparse.size > (2 ** this.precision * 3) / 16) this.#dense();
  }

  #addDense(registers: Uint8Array, index: number, rank: number): void {
    if ((registers[index] as number) < rank) registers[index] = rank;
  }

  #addSparseToDense(registers: Uint8Array, index: number, rank: number): void {
    const bits = sparsePrecision - this.precision;
    const rest = index & (2 ** bits - 1);
    this.#addDense(registers, index >>> bits, rest !== 0 ? Math.clz32(rest) - (32 - bits) + 1 : bits + rank);
  }

  /** The registers, made of the sparse entries if they are not there yet. */
  #dense(): Uint8Array {
    if (this.#registers !== undefined) return this.#registers;
    const registers = new Uint8Array(2 ** this.precision);
    for (const [index, rank] of this.#changeable() ?? []) this.#addSparseToDense(registers, index, rank);
    this.#sparse = undefined;
    this.#registers = registers;
    return registers;
  }
}

/** Sorted, each an index and its rank in one number. */
type Entries = Uint32Array;

const none: Entries = new Uint32Array(0);

function entryOf(index: number, rank: number): number {
  return index * 2 ** rankBits + rank;
}

/** A row's sketch is encoded as often as the row is written: without an iterator it takes a fraction. */
function entriesOf(sparse: ReadonlyMap<number, number>): Entries {
  const entries = new Uint32Array(sparse.size);
  let position = 0;
  sparse.forEach((rank, index) => {
    entries[position++] = entryOf(index, rank);
  });
  return entries.length > 1 ? entries.sort() : entries;
}

const ranks = new Uint8Array(128);
for (let rank = 0; rank < digits.length; rank++) ranks[digits.charCodeAt(rank)] = rank;

function rankOf(code: number): number {
  return ranks[code] ?? 0;
}

/** Ertl's σ: what the registers still at 0 add. */
function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY;
  let power = x;
  let factor = 1;
  let sum = x;
  for (let before = -1; sum !== before; factor *= 2) {
    before = sum;
    power *= power;
    sum += power * factor;
  }
  return sum;
}

/** Ertl's τ: what the registers at the largest rank add. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let root = x;
  let factor = 1;
  let sum = 1 - x;
  for (let before = -1; sum !== before; ) {
    before = sum;
    root = Math.sqrt(root);
    factor *= 0.5;
    sum -= (1 - root) ** 2 * factor;
  }
  return sum / 3;
}
