/** Whose a resource is: the tags of everything that the target makes. */
export interface Owner {
  readonly project: string;
  readonly stack: string;
}

/** The tags of a resource. */
export type Tags = Readonly<Record<string, string>>;

/** The tags of a resource of the component, with its name where AWS shows one. */
export function tagsOf({ project, stack }: Owner, component: string, name?: string): Tags {
  return { project, stack, component, ...(name !== undefined && { Name: name }) };
}
