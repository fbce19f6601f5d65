import type { ConnectionOptions } from "@platformatic/kafka";
import * as z from "zod";

/** The schema of a {@link KafkaConnection}. */
export const kafkaConnectionSchema = z.strictObject({
  bootstrapServers: z.array(z.string()).min(1),
  authentication: z.strictObject({ kind: z.literal("aws-iam"), region: z.string() }).optional(),
});

/** How the jobs reach Kafka's brokers. */
export interface KafkaConnection {
  /** `host:port` of the brokers. At least one */
  readonly bootstrapServers: readonly string[];
  /**
   * `aws-iam`: over TLS, as the role that AWS gives to the process, as Amazon MSK wants it. Default: neither encrypted nor
   * authenticated, for brokers on a network of their own
   */
  readonly authentication?: { readonly kind: "aws-iam"; readonly region: string } | undefined;
}

/**
 * What a client's connections are made with. A token is signed for each connection: it holds for 15 minutes, a
 * connection for longer.
 */
export function connectionOptions({
  authentication,
}: Pick<KafkaConnection, "authentication">): Pick<ConnectionOptions, "tls" | "sasl"> {
  if (authentication === undefined) return {};
  const { region } = authentication;
  return { tls: {}, sasl: { mechanism: "OAUTHBEARER", token: () => signToken(region) } };
}

async function signToken(region: string): Promise<string> {
  // Loaded only where it is used: it brings a large part of AWS's SDK.
  const { generateAuthToken } = await import("aws-msk-iam-sasl-signer-js");
  return (await generateAuthToken({ region })).token;
}
