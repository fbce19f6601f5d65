import type { Policies } from "@pulumi/policy";
import { encryption, noOpenSecurityGroup, noPublicBucket, tagsPresent } from "./cloud.ts";
import { noHostNetwork, noPrivilegedContainer, noUnpinnedImage, resourcesSet } from "./containers.ts";
import { statefulProtected } from "./data.ts";
import { noPlainTextSecret } from "./secrets.ts";

/** All policies of the pack. */
export const policies: Readonly<Policies> = [
  noPublicBucket,
  noOpenSecurityGroup,
  encryption,
  tagsPresent,
  noUnpinnedImage,
  noPrivilegedContainer,
  noHostNetwork,
  resourcesSet,
  statefulProtected,
  noPlainTextSecret,
];
