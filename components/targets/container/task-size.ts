/** Memory of a task, in MiB: Node and, for those that submit to Storm, a client in Java. */
export const taskMemory = 768;
/** CPU time that a task is expected to need, in cores. */
export const taskCpu = 0.1;
