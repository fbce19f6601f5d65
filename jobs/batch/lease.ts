import type { Client } from "cassandra-driver";
import { applyConditionally } from "./pointer.ts";

/** The lease was lost: another run may have begun. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

/** Seconds after which the lease of a killed run ends by itself. */
export const leaseSeconds = 30;

/**
 * The right to be the only batch run. It is renewed while held; a run that is killed loses it after
 * {@link leaseSeconds}.
 */
export class Lease implements AsyncDisposable {
  /** Aborted with a {@link LeaseLostError} when the lease is lost: everything under way must stop. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #client: Client;
  readonly #name: string;
  readonly #holder: string;
  readonly #timer: NodeJS.Timeout;
  #renewed = performance.now();

  /**
   * @param client uses the keyspace of the speed views
   * @param name what only one may do at a time
   * @param holder who asks, unique
   * @returns the lease, or who holds it
   */
  static async acquire(client: Client, name: string, holder: string): Promise<Lease | { readonly heldBy: string }> {
    const applied = await applyConditionally(
      client,
      `INSERT INTO batch_lease (name, holder) VALUES (?, ?) IF NOT EXISTS USING TTL ${leaseSeconds}`,
      [name, holder],
    );
    if (applied) return new Lease(client, name, holder);
    const row = (
      await client.execute("SELECT holder FROM batch_lease WHERE name = ?", [name], { prepare: true })
    ).first();
    return { heldBy: row?.holder ?? "a run that has just ended" };
  }

  private constructor(client: Client, name: string, holder: string) {
    this.#client = client;
    this.#name = name;
    this.#holder = holder;
    this.signal = this.#controller.signal;
    this.#timer = setInterval(() => void this.#renew(), (leaseSeconds / 3) * 1_000);
  }

  /** Gives the lease back, so that the next run need not wait for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    // A lease that cannot be given back ends by itself.
    await applyConditionally(this.#client, "DELETE FROM batch_lease WHERE name = ? IF holder = ?", [
      this.#name,
      this.#holder,
    ]).catch(() => {});
  }

  async #renew(): Promise<void> {
    const asked = performance.now();
    try {
      const applied = await applyConditionally(
        this.#client,
        `UPDATE batch_lease USING TTL ${leaseSeconds} SET holder = ? WHERE name = ? IF holder = ?`,
        [this.#holder, this.#name, this.#holder],
      );
      if (applied) this.#renewed = asked;
      else this.#lose("it ended before it was renewed");
    } catch (error) {
      if (performance.now() - this.#renewed > leaseSeconds * 1_000) this.#lose((error as Error).message);
    }
  }

  #lose(why: string): void {
    clearInterval(this.#timer);
    this.#controller.abort(new LeaseLostError(`the lease ${this.#name} is lost: ${why}`));
  }
}
