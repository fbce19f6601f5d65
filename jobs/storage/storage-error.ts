/** The storage of the master dataset did not do what it was asked for. */
export abstract class StorageError extends Error {}
