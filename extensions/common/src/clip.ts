/**
 * A text, cut where it is longer than anybody reads.
 *
 * The kernel caps what it sends; a kernel that has turned hostile does not, and a browser that lays
 * out a line of a megabyte stands still meanwhile.
 */
export function clip(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
