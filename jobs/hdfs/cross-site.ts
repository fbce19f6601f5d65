/**
 * The header without which Hadoop's servers take no request that changes something. What it says is all the same: a page
 * of a foreign site cannot send any header of its own.
 */
export const crossSiteHeader = "X-XSRF-HEADER";

/** The header as a request's headers. */
export const crossSiteHeaders = { [crossSiteHeader]: "lambda-architecture" } as const;
