import * as pulumi from "@pulumi/pulumi";

/** Collects what is wrong with a component's arguments, so that all of it is reported at once. */
export class InputErrors {
  readonly #component: string;
  readonly #errors: { propertyPath: string; reason: string }[] = [];

  /** @param component type and name for the message, e.g. `KafkaCluster "kafka"` */
  constructor(component: string) {
    this.#component = component;
  }

  /**
   * Notes an error unless `valid`.
   *
   * @param property the argument's path, e.g. `topics[0].partitions`
   * @param mend what is wanted and what was given, e.g. `must be a whole number from 1; it is 0`
   */
  check(valid: boolean, property: string, mend: string): void {
    if (!valid) this.#errors.push({ propertyPath: property, reason: mend });
  }

  /** Notes an error unless `value` is a whole number from `least` (and, if given, up to `most`). */
  checkWhole(value: number, property: string, least: number, most = Number.MAX_SAFE_INTEGER): void {
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    this.check(
      Number.isInteger(value) && value >= least && value <= most,
      property,
      `must be a whole number ${range}; it is ${value}`,
    );
  }

  /** Notes an error unless `value` is CPU time in cores: of a thousandth on, the least that a target can reserve. */
  checkCpu(value: number, property: string): void {
    this.check(
      Number.isFinite(value) && value >= 0.001,
      property,
      `must be a number of cores from 0.001, e.g. 0.5; it is ${value}`,
    );
  }

  /** @throws {pulumi.InputPropertiesError} with everything noted, if anything was */
  throwIfAny(): void {
    if (this.#errors.length === 0) return;
    const reasons = this.#errors.map((error) => `${error.propertyPath} ${error.reason}`);
    throw new pulumi.InputPropertiesError({
      message: `${this.#component}: ${reasons.join("; ")}`,
      errors: this.#errors,
    });
  }
}
