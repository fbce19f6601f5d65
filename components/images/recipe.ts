import { createHash } from "node:crypto";
import { basename, posix } from "node:path";
import type { Distribution } from "../target.ts";
import { distributionFolder, javaHome, mountedFolders, userId } from "./layout.ts";
import { upstreamLinks } from "./upstream.ts";

/** Where images come from and what they are called: a part of the stack's configuration. */
export interface ImageSettings {
  /**
   * The image that all others begin with: Debian 12 with apt, as `debian:bookworm-slim`, best with its digest. `own` is
   * a base that is made on this machine from Debian's packages, where no registry is in reach.
   */
  readonly base: string;
  /** What the images' names begin with, a registry included, e.g. `registry.example.com/lambda`. */
  readonly repository: string;
  /** The tag of every image. Default: a hash of what an image is made of, so that another content has another name. */
  readonly tag?: string;
  /**
   * Upstream images that some systems' images begin with instead, by the names of those, e.g. `{kafka:
   * "apache/kafka:4.1.0"}`: Java and the system's jars are then theirs, and so is the version. Default: none.
   */
  readonly upstream?: Readonly<Record<string, string>>;
}

/** The settings that hold where none are given. */
export const defaultImageSettings: ImageSettings = { base: "debian:bookworm-slim", repository: "lambda-architecture" };

/** The value of {@link ImageSettings.base} for a base made on this machine. */
export const ownBase = "own";

/** The version of Node in the images that have it: that of the project's own. */
export const nodeVersion = "24.21.0";

/** What one image holds beside the base and the Java runtime. */
export interface ImageContent {
  /** What the image is called: `kafka`, `jobs`. */
  readonly name: string;
  /** The distributions in it, each once, by name. */
  readonly distributions: readonly Distribution[];
  /** Whether it has Node. */
  readonly node: boolean;
  /** The absolute paths, on this machine, of the bundled programs in it. Their names carry the hash of their content. */
  readonly programs: readonly string[];
  /** The upstream image that has the system's own jars, and Java. Default: none. */
  readonly upstream?: string;
}

/** The distributions that are put into an image: an upstream image has its system's already. */
export function addedDistributions({ name, distributions, upstream }: ImageContent): readonly Distribution[] {
  return distributions.filter((distribution) => upstream === undefined || distribution.name !== name);
}

/** The timestamp of every file in an image, in seconds since 1970: content decides alone whether two are equal. */
export const imageTimestamp = Date.UTC(2026, 0, 1) / 1000;

/**
 * The modules of the Java runtime: all of Java SE, and what servers find at run time of the JDK's own. No compiler, no
 * tools.
 */
const javaModules = [
  "java.se",
  "jdk.charsets",
  "jdk.crypto.cryptoki",
  "jdk.crypto.ec",
  "jdk.jfr",
  "jdk.management",
  "jdk.management.agent",
  "jdk.naming.dns",
  "jdk.net",
  "jdk.security.auth",
  "jdk.security.jgss",
  "jdk.unsupported",
  "jdk.zipfs",
];

/** The name of the image that the others begin with. */
export function baseReference({ base, repository }: ImageSettings): string {
  if (base !== ownBase) return base;
  const digest = createHash("sha256")
    .update(JSON.stringify(baseCommand("")))
    .digest("hex")
    .slice(0, 12);
  return `${repository}/base:${digest}`;
}

/**
 * The text of an image's Dockerfile. Its first stage makes a Java runtime with the JDK's own jlink, unless an upstream
 * image brings one, the second puts the content in order, and only files come from them into the image itself: no
 * package, no build tool. The context holds `bin/node`, `programs/` and a folder a distribution, as far as the image has
 * them.
 *
 * The folder of temporary files is open to all as /tmp is, since a runc before 1.1.8 gives the memory that is mounted over
 * it the mode of the folder, and root as its owner: see opencontainers/runc#3911.
 *
 * The runtime has no archive of shared classes, which would start servers sooner: Java 17 makes another one every time,
 * and equal inputs are to give equal images.
 *
 * @param base see {@link baseReference}
 */
export function dockerfile(content: ImageContent, base: string): string {
  const { name, node, programs, upstream } = content;
  const packages = upstream === undefined ? "openjdk-17-jdk-headless tini" : "tini";
  const runtime = `
RUN jlink --add-modules ${javaModules.join(",")} --strip-java-debug-attributes --no-header-files --no-man-pages \\
    --output /image${javaHome}
`;
  const links = upstream === undefined ? [] : Object.entries(upstreamLinks(name));
  return `# Made by components/images/recipe.ts
FROM ${base} AS java
# Its installation links manual pages, for which a slim base has no folder.
RUN mkdir -p /usr/share/man/man1 \\
 && apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages} \\
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin\
${upstream === undefined ? runtime : "\n"}
FROM java AS content
${node ? "COPY bin/ /image/opt/lambda/bin/\n" : ""}\
${addedDistributions(content)
  .map((distribution) => `COPY ${distribution.name}/ /image${distributionFolder(distribution.name)}/\n`)
  .join("")}\
${programs.length > 0 ? "COPY programs/ /image/opt/lambda/programs/\n" : ""}\
RUN mkdir -p /image/etc /image/opt/lambda/bin ${Object.values(mountedFolders)
    .map((folder) => `/image${folder}`)
    .join(" ")} \\
 && cp /usr/bin/tini-static /image/opt/lambda/bin/tini \\
 && cp /etc/passwd /etc/group /image/etc/ \\
 && echo 'lambda:x:${userId}:${userId}:lambda:/lambda/data:/usr/sbin/nologin' >>/image/etc/passwd \\
 && echo 'lambda:x:${userId}:' >>/image/etc/group \\
 && chmod -R u=rwX,go=rX /image \\
 && chmod 755 /image/opt/lambda/bin/* \\
 && chown -R 0:0 /image \\
 && chown ${userId}:${userId} /image/lambda/* \\
 && chmod 700 /image/lambda/* \\
 && chmod 1777 /image${mountedFolders.temporary} \\
${links.map(([path, to]) => ` && mkdir -p /image${posix.dirname(path)} && ln -s ${to} /image${path} \\\n`).join("")}\
 && find /image -depth -exec touch --no-dereference --date=@${imageTimestamp} {} +

FROM ${upstream ?? base}
COPY --from=content /image/ /
ENV JAVA_HOME=${javaHome} LANG=C.UTF-8
WORKDIR ${mountedFolders.data}
USER ${userId}:${userId}
ENTRYPOINT ["/opt/lambda/bin/tini", "--"]
`;
}

/**
 * The labels of an image, as the OCI's specification names them.
 *
 * @param reference the image's name
 * @param revision the commit that it was made from; undefined outside of a checkout
 */
export function imageLabels(
  content: ImageContent,
  base: string,
  reference: string,
  revision: string | undefined,
): Record<string, string> {
  return {
    "org.opencontainers.image.title": `lambda-architecture ${content.name}`,
    "org.opencontainers.image.version": reference.slice(reference.lastIndexOf(":") + 1),
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.base.name": content.upstream ?? base,
    "lambda-architecture.distributions": content.distributions.map(({ name }) => name).join(","),
    ...(content.node && { "lambda-architecture.node": nodeVersion }),
    ...(revision !== undefined && { "org.opencontainers.image.revision": revision }),
  };
}

/**
 * An image's name: `<repository>/<name>:<tag>`, known without building anything.
 *
 * @param digestOf the hash of a distribution's parts
 */
export function imageReference(
  content: ImageContent,
  settings: ImageSettings,
  digestOf: (distribution: Distribution) => string,
): string {
  const { repository, tag } = settings;
  return `${repository}/${content.name}:${tag ?? contentTag(content, baseReference(settings), digestOf)}`;
}

function contentTag(content: ImageContent, base: string, digestOf: (distribution: Distribution) => string): string {
  const hash = createHash("sha256").update(dockerfile(content, base));
  if (content.node) hash.update(`\0node ${nodeVersion}`);
  for (const distribution of addedDistributions(content))
    hash.update(`\0${distribution.name} ${digestOf(distribution)}`);
  for (const program of content.programs) hash.update(`\0${basename(program)}`);
  return hash.digest("hex").slice(0, 12);
}

/** The command that makes a base from Debian's packages, without documentation and translations. */
export function baseCommand(archive: string): string[] {
  const excluded = ["doc", "info", "locale", "man"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  return [
    "mmdebstrap",
    "--variant=minbase",
    ...excluded,
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/var/log/*.log "$1"/var/log/apt',
    "bookworm",
    archive,
  ];
}
