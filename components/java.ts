import { delimiter } from "node:path";

/** What a Java server's command line is made of. */
export interface JavaArgs {
  /** The `java` to run, see `Target.java`. */
  readonly java: string;
  /** The largest heap, in MiB. */
  readonly heap: number;
  /** The folder for temporary files, see `Placement.temporary`: native libraries are unpacked there, and more. */
  readonly temporary: string;
  /** Jars (`folder/*`) and folders, in order. */
  readonly classPath: readonly string[];
  readonly mainClass: string;
  /** `-Dname=value`. Default: none. */
  readonly systemProperties?: Readonly<Record<string, string | number | boolean>>;
  /** Further JVM flags, e.g. `--add-opens`. Default: none. */
  readonly flags?: readonly string[];
  /** The program's own arguments. Default: none. */
  readonly arguments?: readonly string[];
}

/**
 * The command line of a Java server with a small heap: the serial collector and the first compiler tier only, which
 * costs the least memory and the least CPU until ready.
 */
export function javaCommand(args: JavaArgs): string[] {
  return [
    args.java,
    `-Xmx${args.heap}m`,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.net.preferIPv4Stack=true",
    `-Djava.io.tmpdir=${args.temporary}`,
    ...Object.entries(args.systemProperties ?? {}).map(([name, value]) => `-D${name}=${value}`),
    ...(args.flags ?? []),
    "-cp",
    args.classPath.join(delimiter),
    args.mainClass,
    ...(args.arguments ?? []),
  ];
}
