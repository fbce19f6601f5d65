/** The properties in the text of a Hadoop configuration file. */
export function hadoopProperties(text: string): Record<string, string> {
  const properties = text.matchAll(/<name>(.*)<\/name><value>(.*)<\/value>/g);
  return Object.fromEntries([...properties].map(([, name, value]) => [name as string, value as string]));
}
