import { types } from "cassandra-driver";

/** A cell's value and when it was written; null: deleted. */
interface Cell {
  readonly value: unknown;
  readonly timestamp: number;
  /** When it ends by itself, on the clock's scale. */
  readonly expires: number;
}

interface StoredRow {
  /** The values of the clustering columns, in order. */
  readonly place: readonly unknown[];
  readonly cells: Map<string, Cell>;
  /** When the row itself was written, by an INSERT: it is there then though all of its cells are null. */
  written: Cell | undefined;
}

interface Tombstone {
  readonly covers: (row: Readonly<Record<string, unknown>>) => boolean;
  readonly timestamp: number;
}

interface StoredPartition {
  readonly key: readonly unknown[];
  readonly rows: Map<string, StoredRow>;
  readonly tombstones: Tombstone[];
}

interface Table {
  readonly name: string;
  readonly id: number;
  readonly types: Map<string, string>;
  readonly partitionKey: readonly string[];
  readonly clusteringKey: readonly string[];
  readonly partitions: Map<string, StoredPartition>;
}

/** A condition of a WHERE or an IF. */
interface Condition {
  readonly column: string;
  readonly operator: "=" | "<" | ">" | "<=" | ">=" | "IN";
  readonly value: unknown;
}

/** A row as it is read: live cells, and when each was written. */
interface LiveRow {
  readonly values: Record<string, unknown>;
  readonly written: Record<string, number>;
}

/** What the driver's result set offers of a result. */
export interface Result {
  readonly rows: types.Row[];
  readonly pageState: undefined;
  first(): types.Row | null;
  wasApplied(): boolean;
  [Symbol.asyncIterator](): AsyncIterator<types.Row>;
}

/**
 * Cassandra in memory: the CQL that the jobs use, with Cassandra's own rule of what wins. Of two writes of a cell the
 * later timestamp wins, and of two with the same one the larger value; a deletion hides every write at or below its
 * timestamp, also those that come later. It keeps tombstones for ever: Cassandra forgets them after a time, and what
 * is written below one by then would show.
 */
export class MemoryCassandra {
  readonly #tables = new Map<string, Table>();
  readonly #now: () => number;
  readonly #keyspace: string;
  #ids = 0;
  #lastTimestamp = 0;

  /** @param now milliseconds since 1970 */
  constructor(keyspace: string, now: () => number) {
    this.#keyspace = keyspace;
    this.#now = now;
  }

  /**
   * Executes a statement.
   *
   * @throws {Error} if it is none that this knows
   */
  execute(cql: string, values: readonly unknown[] = []): Result {
    const text = cql.replaceAll(/\s+/g, " ").trim();
    const verb = text.slice(0, text.indexOf(" ")).toUpperCase();
    const parameters = [...values];
    if (verb === "SELECT") return result(this.#select(text, parameters));
    if (verb === "INSERT") return this.#insert(text, parameters);
    if (verb === "UPDATE") return this.#update(text, parameters);
    if (verb === "DELETE") return this.#delete(text, parameters);
    if (verb === "CREATE") return this.#create(text);
    if (verb === "ALTER") return this.#alter(text);
    if (verb === "DROP") {
      this.#tables.delete(matched(/^DROP TABLE IF EXISTS (\w+)$/, text)[0] as string);
      return result([]);
    }
    throw new Error(`no CQL that is known here: ${cql}`);
  }

  #create(text: string): Result {
    const [name = "", columns = "", partition = "", clustering = ""] = matched(
      /^CREATE TABLE IF NOT EXISTS (\w+) \( ?(.*?),? PRIMARY KEY \((?:\(([^)]*)\)|(?=\w))([^)]*)\) ?\)(?: WITH .*)?$/,
      text
        .replace(/(\w+) text PRIMARY KEY, /, "$1 text, ")
        .replace(/^(.*TABLE IF NOT EXISTS batch_lease.*) \)$/, "$1, PRIMARY KEY (name) )"),
    );
    if (this.#tables.has(name)) return result([]);
    const rest = namesOf(clustering);
    const partitionKey = partition === "" ? rest.slice(0, 1) : namesOf(partition);
    this.#tables.set(name, {
      name,
      id: ++this.#ids,
      types: new Map(columns.split(",").map((one) => one.replaceAll('"', "").trim().split(" ") as [string, string])),
      partitionKey,
      clusteringKey: partition === "" ? rest.slice(1) : rest,
      partitions: new Map(),
    });
    return result([]);
  }

  #alter(text: string): Result {
    const [name = "", column = "", type = ""] = matched(/^ALTER TABLE (\w+) ADD IF NOT EXISTS "?(\w+)"? (\w+)$/, text);
    const table = this.#table(name);
    if (!table.types.has(column)) table.types.set(column, type);
    return result([]);
  }

  #select(text: string, parameters: unknown[]): types.Row[] {
    const [columns = "", name = "", where, limit] = matched(
      /^SELECT (.*?) FROM ([\w.]+)(?: WHERE (.*?))?(?: LIMIT (\d+))?$/,
      text,
    );
    if (name === "system_schema.tables") return this.#schema(parameters);
    const table = this.#table(name);
    const conditions = this.#conditions(table, where, parameters);
    const found: types.Row[] = [];
    const distinct = columns.startsWith("DISTINCT ");
    const wanted = columns.replace("DISTINCT ", "").split(", ");
    for (const partition of table.partitions.values()) {
      const rows = this.#live(table, partition).filter(({ values }) => conditions.every((one) => holds(one, values)));
      for (const row of distinct ? rows.slice(0, 1) : rows) found.push(selected(table, wanted, row));
    }
    return limit === undefined ? found : found.slice(0, Number(limit));
  }

  #schema([keyspace]: readonly unknown[]): types.Row[] {
    if (keyspace !== this.#keyspace) return [];
    return [...this.#tables.values()].map(({ name, id }) => ({ table_name: name, id }) as unknown as types.Row);
  }

  #insert(text: string, parameters: unknown[]): Result {
    const [name = "", columns = "", , notExists, using] = matched(
      /^INSERT INTO (\w+) \((.*?)\) VALUES \((.*?)\)( IF NOT EXISTS)?(?: USING (.*))?$/,
      text,
    );
    const table = this.#table(name);
    const values: Record<string, unknown> = {};
    for (const column of namesOf(columns)) values[column] = decoded(table, column, parameters.shift());
    const { timestamp, expires } = this.#using(using, parameters);
    if (notExists !== undefined && this.#find(table, values) !== undefined) return result([], false);
    const row = this.#row(table, values);
    row.written = newer(row.written, { value: true, timestamp, expires });
    this.#write(table, row, values, timestamp, expires);
    return result([]);
  }

  #update(text: string, parameters: unknown[]): Result {
    const [name = "", using, set = "", where, condition] = matched(
      /^UPDATE (\w+)(?: USING (.*?))? SET (.*?) WHERE (.*?)(?: IF (.*))?$/,
      text,
    );
    const table = this.#table(name);
    const { timestamp, expires } = this.#using(using, parameters);
    const values: Record<string, unknown> = {};
    for (const one of set.split(", ")) {
      const [column = "", value = ""] = matched(/^"?(\w+)"? = (\S+)$/, one);
      values[column] = value === "?" ? decoded(table, column, parameters.shift()) : JSON.parse(value);
    }
    const place = placeOf(this.#conditions(table, where, parameters));
    if (!this.#applies(table, place, condition, parameters)) return result([], false);
    this.#write(table, this.#row(table, place), values, timestamp, expires);
    return result([]);
  }

  #delete(text: string, parameters: unknown[]): Result {
    const [name = "", using, where, condition] = matched(
      /^DELETE FROM (\w+)(?: USING (.*?))? WHERE (.*?)(?: IF (.*))?$/,
      text,
    );
    const table = this.#table(name);
    const { timestamp } = this.#using(using, parameters);
    const conditions = this.#conditions(table, where, parameters);
    const place = placeOf(conditions);
    if (!this.#applies(table, place, condition, parameters)) return result([], false);
    this.#partition(table, place).tombstones.push({
      timestamp,
      covers: (row) => conditions.every((one) => holds(one, row)),
    });
    return result([]);
  }

  #applies(table: Table, place: Readonly<Record<string, unknown>>, text: string | undefined, parameters: unknown[]) {
    if (text === undefined) return true;
    const row = this.#find(table, place);
    if (text === "EXISTS") return row !== undefined;
    return this.#conditions(table, text, parameters).every(
      ({ column, value }) => (row?.values[column] ?? null) === (value ?? null),
    );
  }

  #conditions(table: Table, text: string | undefined, parameters: unknown[]): Condition[] {
    if (text === undefined) return [];
    return text.split(" AND ").map((one) => {
      const [column = "", operator = "", value = ""] = matched(/^"?(\w+)"? (=|<|>|<=|>=|IN) (\S+)$/, one);
      const given = value === "?" ? parameters.shift() : JSON.parse(value);
      const isList = operator === "IN";
      return {
        column,
        operator: operator as Condition["operator"],
        value: isList
          ? (given as unknown[]).map((each) => decoded(table, column, each))
          : decoded(table, column, given),
      };
    });
  }

  #using(text: string | undefined, parameters: unknown[]): { timestamp: number; expires: number } {
    let timestamp: number | undefined;
    let expires = Number.POSITIVE_INFINITY;
    for (const one of text?.split(" AND ") ?? []) {
      const [kind, value = ""] = matched(/^(TIMESTAMP|TTL) (\S+)$/, one);
      const number = numberOf(value === "?" ? parameters.shift() : value);
      if (kind === "TIMESTAMP") timestamp = number;
      else expires = this.#now() + number * 1_000;
    }
    // Microseconds, later than all before.
    this.#lastTimestamp = Math.max(this.#lastTimestamp + 1, this.#now() * 1_000);
    return { timestamp: timestamp ?? this.#lastTimestamp, expires };
  }

  #write(table: Table, row: StoredRow, values: Readonly<Record<string, unknown>>, timestamp: number, expires: number) {
    for (const [column, value] of Object.entries(values))
      if (value !== types.unset && !table.partitionKey.includes(column) && !table.clusteringKey.includes(column))
        row.cells.set(column, newer(row.cells.get(column), { value, timestamp, expires }));
  }

  #find(table: Table, values: Readonly<Record<string, unknown>>): LiveRow | undefined {
    const key = [...table.partitionKey, ...table.clusteringKey];
    return this.#live(table, this.#partition(table, values)).find((row) =>
      key.every((column) => row.values[column] === values[column]),
    );
  }

  #live(table: Table, partition: StoredPartition): LiveRow[] {
    const now = this.#now();
    const rows: LiveRow[] = [];
    for (const row of partition.rows.values()) {
      const values: Record<string, unknown> = {};
      const written: Record<string, number> = {};
      for (const [index, column] of table.partitionKey.entries()) values[column] = partition.key[index];
      for (const [index, column] of table.clusteringKey.entries()) values[column] = row.place[index];
      const hidden = Math.max(
        Number.NEGATIVE_INFINITY,
        ...partition.tombstones.filter(({ covers }) => covers(values)).map(({ timestamp }) => timestamp),
      );
      const isLive = (cell: Cell | undefined) => cell !== undefined && cell.timestamp > hidden && cell.expires > now;
      let isThere = isLive(row.written);
      for (const [column, cell] of row.cells) {
        if (!isLive(cell) || cell.value === null) continue;
        values[column] = cell.value;
        written[column] = cell.timestamp;
        isThere = true;
      }
      if (isThere) rows.push({ values, written });
    }
    return rows;
  }

  #row(table: Table, values: Readonly<Record<string, unknown>>): StoredRow {
    const { rows } = this.#partition(table, values);
    const place = table.clusteringKey.map((column) => values[column]);
    const id = JSON.stringify(place);
    const row: StoredRow = rows.get(id) ?? { place, cells: new Map(), written: undefined };
    rows.set(id, row);
    return row;
  }

  #partition(table: Table, values: Readonly<Record<string, unknown>>): StoredPartition {
    const key = table.partitionKey.map((column) => values[column]);
    const id = JSON.stringify(key);
    const partition = table.partitions.get(id) ?? { key, rows: new Map(), tombstones: [] };
    table.partitions.set(id, partition);
    return partition;
  }

  #table(name: string): Table {
    const table = this.#tables.get(name);
    if (table === undefined) throw new Error(`there is no table ${name}`);
    return table;
  }
}

function matched(form: RegExp, text: string): (string | undefined)[] {
  const found = form.exec(text);
  if (found === null) throw new Error(`no CQL that is known here: ${text}`);
  return found.slice(1);
}

function namesOf(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.replaceAll('"', "").trim())
    .filter((name) => name !== "");
}

/** Which cell stays. */
function newer(old: Cell | undefined, written: Cell): Cell {
  if (old === undefined || written.timestamp > old.timestamp) return written;
  if (written.timestamp < old.timestamp) return old;
  return String(written.value) > String(old.value) ? written : old;
}

/** A value as it is kept: numbers as numbers. The driver takes them in several forms. */
function decoded(table: Table, column: string, value: unknown): unknown {
  const type = table.types.get(column);
  if (type === undefined) throw new Error(`table ${table.name} has no column ${column}`);
  if (value === types.unset || value === null || value === undefined) return value ?? null;
  if (type !== "int" && type !== "bigint") return value;
  return numberOf(value);
}

/** A CQL `int` or `bigint` in any of the forms that the driver takes. */
function numberOf(value: unknown): number {
  if (!Buffer.isBuffer(value)) return Number(value);
  return value.length === 4 ? value.readInt32BE() : Number(value.readBigInt64BE());
}

/** The row as the driver gives it. */
function selected(table: Table, columns: readonly string[], { values, written }: LiveRow): types.Row {
  const row: Record<string, unknown> = {};
  for (const one of columns) {
    const [, of, as] = /^WRITETIME\((\w+)\) AS (\w+)$/.exec(one) ?? [];
    if (of !== undefined && as !== undefined) {
      row[as] = written[of] === undefined ? null : types.Long.fromNumber(written[of]);
      continue;
    }
    const column = one.replaceAll('"', "");
    const type = table.types.get(column);
    if (type === undefined) throw new Error(`table ${table.name} has no column ${column}`);
    const value = values[column] ?? null;
    row[column] = type === "bigint" && value !== null ? types.Long.fromNumber(value as number) : value;
  }
  return row as unknown as types.Row;
}

function holds({ column, operator, value }: Condition, row: Readonly<Record<string, unknown>>): boolean {
  const found = row[column] as string | number;
  if (operator === "=") return found === value;
  if (operator === "IN") return (value as unknown[]).includes(found);
  const bound = value as string | number;
  if (operator === "<") return found < bound;
  if (operator === "<=") return found <= bound;
  return operator === ">" ? found > bound : found >= bound;
}

function placeOf(conditions: readonly Condition[]): Record<string, unknown> {
  return Object.fromEntries(
    conditions.filter(({ operator }) => operator === "=").map(({ column, value }) => [column, value]),
  );
}

function result(rows: types.Row[], applied = true): Result {
  return {
    rows,
    pageState: undefined,
    first: () => rows[0] ?? null,
    wasApplied: () => applied,
    async *[Symbol.asyncIterator]() {
      yield* rows;
    },
  };
}
