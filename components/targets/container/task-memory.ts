/** Memory of a task, in MiB: Node and, for those that submit to Storm, a client in Java. */
export const taskMemory = 768;
