// Heat in a plate: the two-dimensional heat equation, explicit in time, by the five-point stencil (Jacobi). The edge of
// the plate keeps its temperature.
//
// A cell's next value depends on nothing but five values of the step before, always added in the same order. So whoever
// computes it, it comes out the same to the last bit.

/** Cells, the edge not counted in `rows`: row 0 and row `rows` + 1 are edge; so are column 0 and the last. */
export interface Size {
  columns: number;
  rows: number;
}

// Diffusivity times time step by the square of the cell's width; stable up to 0.25.
const DIFFUSION = 0.2;

/** Rows `first` to `last`, inclusive, of `next` from `now`. */
export function step(now: Float64Array, next: Float64Array, columns: number, first: number, last: number): void {
  for (let row = first; row <= last; row++) {
    const end = (row + 1) * columns - 1;
    for (let i = row * columns + 1; i < end; i++) {
      const around = now[i - columns] + now[i - 1] + now[i + 1] + now[i + columns];
      next[i] = now[i] + DIFFUSION * (around - 4 * now[i]);
    }
  }
}

/** The temperature of a cell at the beginning: hot and cold spots, and an edge that is warm on one side. */
function initial(row: number, column: number): number {
  const spot = ((row * 7919 + column * 104_729) % 1009) / 1009;
  return spot * spot * 100 + (column === 0 ? 50 : 0);
}

/** Rows `first` - 1 to `first` + `rows` of the plate at the beginning, with the row on either side. */
export function slab(first: number, { columns, rows }: Size): Float64Array {
  const cells = new Float64Array((rows + 2) * columns);
  for (let row = 0; row < rows + 2; row++) {
    for (let column = 0; column < columns; column++) {
      cells[row * columns + column] = initial(first - 1 + row, column);
    }
  }
  return cells;
}

/** Which rows of the plate are a rank's: the first `rows` % `ranks` of them have one more. */
export function share(rank: number, ranks: number, rows: number): { first: number; rows: number } {
  const each = Math.floor(rows / ranks);
  const more = rows % ranks;
  return { first: 1 + rank * each + Math.min(rank, more), rows: each + (rank < more ? 1 : 0) };
}

/** The whole plate after so many steps, without its upper and lower edge, computed by one. */
export function serial(size: Size, steps: number): Float64Array {
  let now: Float64Array = slab(1, size);
  let next: Float64Array = now.slice();
  for (let i = 0; i < steps; i++) {
    step(now, next, size.columns, 1, size.rows);
    [now, next] = [next, now];
  }
  return now.subarray(size.columns, (size.rows + 1) * size.columns);
}
