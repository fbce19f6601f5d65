import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  copyOwnFiles,
  entriesOf,
  entriesOfReplicas,
  filesVolume,
} from "../../../../components/targets/kubernetes/files.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lambda-architecture-files-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const files = (index: number) => ({
  "server.properties": { content: `id=${index}\n` },
  "resources/deep/a.json": { content: `{"id": ${index}}` },
  password: { content: "open sesame", secret: true },
});

test("secret files go into a Secret, the others into a ConfigMap", () => {
  expect(entriesOf(files(7))).toEqual({
    plain: { "server.properties": "id=7\n", "resources__deep__a.json": '{"id": 7}' },
    secret: { password: "open sesame" },
  });
});

test("a replica copies its own files, by their paths and readable for nobody else", () => {
  const [from, to] = [join(folder, "from"), join(folder, "to")];
  mkdirSync(from);
  mkdirSync(to);
  const { plain, secret } = entriesOfReplicas(Array.from({ length: 12 }, (_, index) => files(index)));
  for (const [key, content] of Object.entries({ ...plain, ...secret }))
    writeFileSync(join(from, key), content as string);
  const [program = "", ...args] = copyOwnFiles(from, to);
  const run = spawnSync(program, args, { env: { PATH: process.env.PATH, POD_NAME: "kafka-broker-1" } });
  expect(String(run.stderr)).toBe("");
  expect(readdirSync(to, { recursive: true }).sort()).toEqual(
    ["password", "resources", "resources/deep", "resources/deep/a.json", "server.properties"].sort(),
  );
  expect(readFileSync(join(to, "server.properties"), "utf8")).toBe("id=1\n");
  expect(readFileSync(join(to, "resources/deep/a.json"), "utf8")).toBe('{"id": 1}');
  expect(statSync(join(to, "password")).mode & 0o777).toBe(0o600);
});

test("the files of one instance lie where their paths say", () => {
  const volume = filesVolume("configuration", files(0), { configMap: "x-files-1", secret: "x-files-2", resources: [] });
  expect(volume).toEqual({
    name: "configuration",
    projected: {
      defaultMode: 0o440,
      sources: [
        {
          configMap: {
            name: "x-files-1",
            items: [
              { key: "server.properties", path: "server.properties" },
              { key: "resources__deep__a.json", path: "resources/deep/a.json" },
            ],
          },
        },
        { secret: { name: "x-files-2", items: [{ key: "password", path: "password" }] } },
      ],
    },
  });
});
