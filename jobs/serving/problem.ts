import { STATUS_CODES } from "node:http";
import type { FastifyReply } from "fastify";
import * as z from "zod";
import { boundedText } from "../bounded-text.ts";

/** An error as RFC 9457 has it. The type is always `about:blank`: the status and the further members say it all. */
export const problemSchema = z
  .looseObject({
    type: z.literal("about:blank"),
    title: z.string().describe("The status's phrase."),
    status: z.int(),
    detail: z.string().describe("What is wrong, and what is wanted."),
    parameter: z.string().optional().describe("The first query parameter that does not fit."),
    errors: z
      .array(z.object({ parameter: z.string(), detail: z.string() }))
      .optional()
      .describe("Every query parameter that does not fit."),
    store: z.string().optional().describe("The store that does not answer."),
  })
  .describe("An error (RFC 9457).");

/**
 * A problem's text.
 *
 * @param detail bounded, whatever it was made of
 */
export function problemText(status: number, detail: string, members: Readonly<Record<string, unknown>> = {}): string {
  const title = STATUS_CODES[status] ?? "Error";
  return JSON.stringify({ type: "about:blank", title, status, detail: boundedText(detail), ...members });
}

/** Sends a problem. */
export function sendProblem(
  reply: FastifyReply,
  status: number,
  detail: string,
  members: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  // A string, because a schema's serializer knows the route's media type only.
  return reply
    .code(status)
    .type("application/problem+json")
    .send(problemText(status, detail, members));
}
