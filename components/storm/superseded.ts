/**
 * Which running topologies a new one supersedes. Of a family, the one that has run the longest is the one whose work is
 * used; what was started after it was to take its place and never did, and would keep the new one from a worker.
 *
 * @param listing what Storm's ListTopologies prints: a line a topology, with name, status, tasks, workers and uptime
 * @param family what the names begin with; a hyphen and the eight hexadecimal digits of a hash follow. A topology of any
 *   other name is somebody else's
 * @param name the new one
 */
export function supersededTopologies(listing: string, family: string, name: string): string[] {
  const rows = listing.split("\n").map((line) => /^(\S+)\s+(ACTIVE|INACTIVE)\s+\d+\s+\d+\s+(\d+)\s/.exec(line));
  const others = rows
    .filter((row) => row !== null)
    .map(([, other = "", , uptime]) => ({ other, uptime: Number(uptime) }))
    .filter(({ other }) => other !== name && isOfFamily(other, family))
    .sort((a, b) => b.uptime - a.uptime);
  return others.slice(1).map(({ other }) => other);
}

function isOfFamily(name: string, family: string): boolean {
  return name.startsWith(`${family}-`) && /^[0-9a-f]{8}$/.test(name.slice(family.length + 1));
}
