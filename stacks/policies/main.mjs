/*
 * The policy pack, as the CLI serves it:
 *
 *     npm run pulumi -- preview --policy-pack stacks/policies
 *
 * JavaScript, since the CLI would compile a TypeScript file by itself; what it imports Node runs as it is.
 */
import policy from "@pulumi/policy";
import { policies } from "./policies.ts";

new policy.PolicyPack("lambda-architecture", { enforcementLevel: "mandatory", policies: [...policies] });
