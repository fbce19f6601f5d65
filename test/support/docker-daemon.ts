import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Debian's packages that the tests need: Docker, what it makes its networks with, and what makes a base image. */
const packages = ["docker.io", "iptables", "mmdebstrap"];
const programs = ["/usr/sbin/dockerd", "/usr/bin/docker", "/usr/sbin/iptables", "/usr/bin/mmdebstrap"];

/**
 * A daemon of the test's own, or why there can be none here: on another system, not as root, without what Debian's
 * packages bring (they are installed), or without a right that it takes.
 */
export async function startDocker(): Promise<DockerDaemon | string> {
  const problem = packagesProblem();
  if (problem !== undefined) return problem;
  try {
    return await DockerDaemon.start();
  } catch (error) {
    return (error as Error).message;
  }
}

function packagesProblem(): string | undefined {
  if (process.platform !== "linux") return "Docker's daemon runs on Linux";
  if (process.getuid?.() !== 0) return "Docker's daemon and its networks take root";
  if (programs.every((program) => existsSync(program))) return undefined;
  if (!existsSync("/usr/bin/apt-get")) return `there is no apt-get to install ${packages.join(", ")} with`;
  try {
    execFileSync("apt-get", ["update"], { stdio: "ignore" });
    execFileSync("apt-get", ["install", "--yes", "--no-install-recommends", ...packages], {
      stdio: "ignore",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  } catch (error) {
    return `apt-get cannot install ${packages.join(", ")}: ${(error as Error).message}`;
  }
  return programs.every((program) => existsSync(program)) ? undefined : `${packages.join(", ")} are not whole`;
}

/** A Docker daemon of the test's own: its socket, its images, its containers. */
export class DockerDaemon {
  readonly host: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, process: ChildProcess) {
    this.#folder = folder;
    this.host = `unix://${join(folder, "docker.sock")}`;
    this.#process = process;
  }

  /** Starts one and waits until it answers. @throws {Error} with its log's last lines if it does not */
  static async start(): Promise<DockerDaemon> {
    const folder = mkdtempSync(join(tmpdir(), "lambda-architecture-docker-"));
    const log = openSync(join(folder, "log"), "a");
    const child = spawn(
      "/usr/sbin/dockerd",
      [
        ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "--pidfile", join(folder, "pid")],
        ...["--host", `unix://${join(folder, "docker.sock")}`, "--storage-driver", "overlay2", "--ip", "127.0.0.1"],
      ],
      { stdio: ["ignore", log, log] },
    );
    closeSync(log);
    const daemon = new DockerDaemon(folder, child);
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(500)) {
      try {
        daemon.docker("version", "--format", "{{.Server.Version}}");
        return daemon;
      } catch {
        if (child.exitCode !== null) break;
      }
    }
    const lines = readFileSync(join(folder, "log"), "utf8").split("\n").slice(-20).join("\n");
    await daemon.stop();
    throw new Error(`dockerd does not answer:\n${lines}`);
  }

  /** What `docker` prints. @throws {Error} if it fails */
  docker(...args: string[]): string {
    return execFileSync("docker", ["--host", this.host, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  /** Builds an image without any files. @throws {Error} if it fails */
  build(reference: string, dockerfile: string): void {
    execFileSync("docker", ["--host", this.host, "build", "--tag", reference, "-"], {
      input: dockerfile,
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  /** Stops the daemon, with it what runs in it, and removes all that it has. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.exitCode === null && this.#process.kill("SIGTERM")) await Promise.race([ended, sleep(30_000)]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
