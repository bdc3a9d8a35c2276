// The file as messages of several sizes, as a program's messages are. Both ranks cut it alike, so no lengths are sent.

const KiB = 1024;
const MiB = 1024 * KiB;
const sizes = [64 * KiB, MiB, 4 * MiB, 16 * MiB];

/** Views of one buffer, one after another. */
export function cut(file: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < file.length; ) {
    const to = Math.min(from + sizes[chunks.length % sizes.length], file.length);
    chunks.push(file.subarray(from, to));
    from = to;
  }
  return chunks;
}
