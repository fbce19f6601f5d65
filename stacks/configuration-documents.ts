import { parseDocument } from "yaml";
import * as z from "zod";
import { parseStackConfiguration, stackConfigurationSchema } from "./configuration.ts";

/** A key as documents state it. */
interface Key {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean";
  readonly default: string | number | boolean;
  readonly description: string;
  /** Whether a stack's file keeps it encrypted. */
  readonly secret: boolean;
  /** What JSON schema says of the value's limits. */
  readonly limits: z.core.JSONSchema.JSONSchema;
}

/** All keys of the stack's configuration, in the schema's order. */
function keys(): Key[] {
  const defaults = parseStackConfiguration({});
  const { properties = {} } = z.toJSONSchema(stackConfigurationSchema, { io: "input" });
  return Object.entries(properties).map(([name, property]) => {
    const { type, description = "", default: _, secret = false, ...limits } = property as z.core.JSONSchema.JSONSchema;
    return {
      name,
      type: type as Key["type"],
      default: defaults[name as keyof typeof defaults],
      description,
      secret: secret === true,
      limits,
    };
  });
}

/**
 * The text of Pulumi.yaml with the keys' types, defaults and descriptions as its `config` block; the rest of it as it is.
 *
 * @param before the present text
 */
export function withConfigBlock(before: string): string {
  const document = parseDocument(before);
  const block = keys().map(({ name, type, default: value, description }) => [
    name,
    // Pulumi knows no numbers with decimals.
    type === "number" ? { type: "string", default: String(value), description } : { type, default: value, description },
  ]);
  document.set("config", document.createNode(Object.fromEntries(block)));
  return document.toString({ lineWidth: 0 });
}

/** The table of the keys in Markdown. */
export function configurationTable(): string {
  const rows = keys().map(
    ({ name, default: value, description, secret }) =>
      `| \`${name}\` | ${value === "" ? "" : `\`${value}\``} | ${description}${secret ? "; set it with `--secret`" : ""} |`,
  );
  return [tableHead, ...rows].join("\n");
}

const tableHead = "| key | default | meaning |\n| --- | --- | --- |";

/**
 * The text of the README with the table of the keys.
 *
 * @param before the present text
 * @throws {Error} if it has no such table
 */
export function withConfigurationTable(before: string): string {
  const from = before.indexOf(tableHead);
  const to = before.indexOf("\n\n", from);
  if (from < 0 || to < 0) throw new Error(`README.md has no table that begins with\n${tableHead}`);
  return before.slice(0, from) + configurationTable() + before.slice(to);
}

/** The JSON schema of `Pulumi.<stack>.yaml` for editors, as text. */
export function stackFileSchema(): string {
  const own = keys().map(({ name, type, default: value, description, secret, limits }) => [
    `lambda-architecture:${name}`,
    secret ? { description, ...encryptedText } : { description, default: value, ...alsoAsText(type, limits) },
  ]);
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Pulumi.<stack>.yaml of lambda-architecture",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties: Object.fromEntries(own),
        // Keys of others, such as aws:region.
        patternProperties: { "^(?!lambda-architecture:)": {} },
        additionalProperties: false,
      },
    },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** What `pulumi config set --secret` writes. */
const encryptedText = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
};

/** What the value may be: `pulumi config set` writes every value as a text. */
function alsoAsText(type: Key["type"], limits: Key["limits"]): object {
  switch (type) {
    case "string":
      return { type, ...limits };
    case "integer":
      return {
        anyOf: [
          { type, ...limits },
          { type: "string", pattern: "^[0-9]+$" },
        ],
      };
    case "number":
      return {
        anyOf: [
          { type, ...limits },
          { type: "string", pattern: "^[0-9]+(\\.[0-9]+)?$" },
        ],
      };
    case "boolean":
      return { enum: [true, false, "true", "false"] };
  }
}
