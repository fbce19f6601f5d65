/**
 * The text of a stack's configuration file without the `encryptionsalt` that the CLI adds, unless the file has secrets,
 * which need it.
 */
export function withoutEncryptionSalt(configuration: string): string {
  if (/^\s+secure:/m.test(configuration)) return configuration;
  return configuration.replace(/^encryptionsalt: .*\n?/m, "");
}
