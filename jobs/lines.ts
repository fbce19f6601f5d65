const lineFeed = 0x0a;

/**
 * The complete lines in each piece of input, without their line feeds. Only line feeds end a line: `node:readline` would
 * also cut at U+2028, which JSON leaves as it is.
 */
export async function* splitLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const read of source) {
    const piece = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    const lines: Buffer[] = [];
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = bytes.indexOf(lineFeed, rest.length); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [rest];
}
