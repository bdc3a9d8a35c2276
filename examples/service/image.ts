// What the workers do: enough to keep a processor busy for some milliseconds per image.

export interface Image {
  width: number;
  /** RGBA, row by row. */
  pixels: Uint8Array;
}

export interface Filtered extends Image {
  /** Sum over all pixels, as a check. */
  light: number;
}

/** Each pixel becomes the mean of itself and its right neighbours, darkened. */
export function filter({ width, pixels }: Image): Filtered {
  const result = new Uint8Array(pixels.length);
  const row = width * 4;
  let light = 0;
  for (let start = 0; start < pixels.length; start += row) {
    const end = Math.min(start + row, pixels.length);
    for (let i = start; i < end; i += 1) {
      const next = i + 4 < end ? i + 4 : i;
      const after = i + 8 < end ? i + 8 : next;
      const value = ((pixels[i] + pixels[next] + pixels[after]) / 4) | 0;
      result[i] = value;
      light += value;
    }
  }
  return { width, pixels: result, light };
}
