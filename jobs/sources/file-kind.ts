/** Files that are no JSON lines and that people take for some, by their first bytes, and how to make lines of them. */
const otherKinds: readonly { readonly name: string; readonly begins: readonly number[]; readonly fix: string }[] = [
  { name: "UTF-16 text", begins: [0xff, 0xfe], fix: "iconv -f UTF-16 -t UTF-8 FILE > events.jsonl" },
  { name: "UTF-16 text", begins: [0xfe, 0xff], fix: "iconv -f UTF-16 -t UTF-8 FILE > events.jsonl" },
  { name: "compressed by bzip2", begins: [0x42, 0x5a, 0x68], fix: "bzip2 -dc FILE > events.jsonl" },
  { name: "compressed by zstd", begins: [0x28, 0xb5, 0x2f, 0xfd], fix: "zstd -dc FILE > events.jsonl" },
  { name: "compressed by xz", begins: [0xfd, 0x37, 0x7a, 0x58, 0x5a], fix: "xz -dc FILE > events.jsonl" },
  { name: "a zip archive", begins: [0x50, 0x4b, 0x03, 0x04], fix: "unzip -p FILE > events.jsonl" },
  { name: "a Parquet file", begins: [0x50, 0x41, 0x52, 0x31], fix: "export it as JSON lines" },
  { name: "an Avro file", begins: [0x4f, 0x62, 0x6a, 0x01], fix: "avro-tools tojson FILE > events.jsonl" },
];

/** The bytes that {@link otherKindOfBytes} and {@link isGzip} look at. */
export const magicBytes = 8;

/** Whether these first bytes of a file are those of gzip. */
export function isGzip(start: Buffer): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/** A sentence that says of what other kind a file is, with the fix, by its first bytes; undefined for text in UTF-8. */
export function otherKindOfBytes(start: Buffer): string | undefined {
  const kind = otherKinds.find(({ begins }) => begins.every((byte, index) => start[index] === byte));
  if (kind !== undefined) return `it is ${kind.name}, no JSON lines; make some of it: ${kind.fix}`;
  if (start.includes(0)) return "it has zero bytes, so it is no text in UTF-8 (UTF-16 perhaps); JSON lines are UTF-8";
  return undefined;
}

/** How much of a text {@link otherKindOfText} looks at, and how many of its lines. */
export const looksAt = { bytes: 64 * 1024, lines: 10 };

/**
 * A sentence that says why a text is clearly no JSON lines, with the fix; undefined if it may be, for all that its start
 * says. A line that is no event does not count against it where others near it are.
 *
 * @param start what it begins with, some of its lines or {@link looksAt} of it, without a byte order mark
 * @param isWhole whether that is all of it
 */
export function otherKindOfText(start: string, isWhole: boolean): string | undefined {
  const [first = "", ...rest] = start.split("\n").slice(0, looksAt.lines + 1);
  const firstIsCut = rest.length === 0 && !isWhole;
  if (/\r(?!\n|$)/.test(first)) return "its lines end with CR alone; make line feeds of them: tr '\\r' '\\n' < FILE";
  if (/^\s*\[\s*(\{|$)/.test(first))
    return "it is a JSON array; JSON lines have an event a line: jq -c '.[]' FILE > events.jsonl";
  if (firstIsCut) return undefined;
  const lines = [first, ...rest].map((line) => line.trim());
  // The last one may be cut.
  if (!isWhole && lines.length <= looksAt.lines) lines.pop();
  const full = lines.filter((line) => line !== "").slice(0, looksAt.lines);
  const [line = ""] = full;
  const isPretty = line === "{" || (/^\{\s*"/.test(line) && !line.endsWith("}") && !full.some(isObjectOrArray));
  if (isPretty)
    return "its JSON is spread over several lines; JSON lines have an event a line: jq -c . FILE > events.jsonl";
  if (full.length === 0 || full.some(isObjectOrArray)) return undefined;
  return `line 1 is no JSON: ${JSON.stringify(line.slice(0, 60))}, nor is what follows; JSON lines have an event a line`;
}

function isObjectOrArray(line: string): boolean {
  if (!/^[{[]/.test(line)) return false;
  try {
    JSON.parse(line);
    return !/^(\[\s*\]|\{\s*\})$/.test(line);
  } catch {
    return false;
  }
}
