import type { ResourceValidationPolicy } from "@pulumi/policy";

/** Names of settings whose value is a secret. */
const secretName = /(password|passwd|passphrase|secret|token|(api|private|access)[_-]?key)$/i;
/** Names that only say where a secret is, or of what kind. */
const referenceName = /(file|path|name|arn|ref|id|location|provider|class)$/i;

/** Texts that are secrets wherever they are: AWS's access keys, private keys in PEM, credentials in a URL. */
const secretTexts: readonly (readonly [RegExp, string])[] = [
  [/\b(AKIA|ASIA)[0-9A-Z]{16}\b/, "an AWS access key"],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a private key"],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:[^\s/@]+@/, "credentials in a URL"],
];

/** Where secrets may be: resources made for them, and files that only their owner may read. */
function isPlaceForSecrets(type: string, value: unknown): boolean {
  if (/^(kubernetes:core\/v1:Secret|random:|aws:secretsmanager\/secretVersion:|tls:)/.test(type)) return true;
  return typeof value === "object" && value !== null && "secret" in value && value.secret === true;
}

/**
 * The engine shows policies the values of secrets like any other, so this looks at where they are: in the environment, in
 * a command, in a file or map that everybody may read.
 */
export const noPlainTextSecret: ResourceValidationPolicy = {
  name: "no-plain-text-secret",
  description: "Secrets are in secret files and Secrets, not in environments, commands, ConfigMaps or other inputs.",
  validateResource: ({ type, props }, report) => {
    for (const problem of secretsIn(type, props, [])) report(problem);
  },
};

function secretsIn(type: string, value: unknown, path: readonly string[]): string[] {
  if (isPlaceForSecrets(type, value)) return [];
  if (typeof value === "string") return textProblems(value, path);
  if (typeof value !== "object" || value === null) return [];
  // A container's `env` says its names beside its values.
  const named = value as { name?: unknown; value?: unknown };
  if (typeof named.name === "string" && typeof named.value === "string" && isSecretSetting(named.name, named.value))
    return [problem([...path, named.name], `the value of ${named.name}`)];
  return Object.entries(value).flatMap(([key, inner]) => secretsIn(type, inner, [...path, key]));
}

function textProblems(text: string, path: readonly string[]): string[] {
  const name = path.at(-1) ?? "";
  if (isSecretSetting(name, text)) return [problem(path, `the value of ${name}`)];
  const found = secretTexts.filter(([form]) => form.test(text)).map(([, what]) => problem(path, what));
  // Settings: `some.password=…` in files, `--password=…` in commands, `PASSWORD=…` in environments.
  const settings = [...text.matchAll(/^[-\s"']*([\w.-]+)["']?\s*[=:]\s*["']?([^\s"',]+)/gm)];
  return [
    ...found,
    ...settings
      .filter(([, setting = "", value = ""]) => isSecretSetting(setting, value))
      .map(([, setting]) => problem(path, `the value of ${setting}`)),
  ];
}

/** Whether the setting holds a secret: not none at all, nor a reference to where it is. */
function isSecretSetting(name: string, value: string): boolean {
  if (!secretName.test(name) || referenceName.test(name)) return false;
  return value !== "" && !/^(true|false|null|none|\d+|\$\{.*\}|\$\(.*\)|file:.*|\/.*)$/i.test(value);
}

function problem(path: readonly string[], what: string): string {
  return `${path.join(".")} holds ${what} in plain text: put it into a secret file or a Secret.`;
}
