// Tables for a terminal, and figures as people read them.

export interface Table {
  header: string[];
  rows: string[][];
}

/** Rows of cells under a header: the first column to the left, figures to the right. */
export function renderTable(header: string[], rows: string[][]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  const render = (row: string[]) =>
    widths
      .map((wide, column) => {
        const cell = row[column] ?? '';
        const space = ' '.repeat(wide - width(cell));
        return column === 0 ? cell + space : space + cell;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((wide) => '─'.repeat(wide)).join('──');
  return [render(header), rule, ...rows.map(render)].join('\n');
}

/** Characters, not UTF-16 units. */
function width(text: string): number {
  return [...text].length;
}

/** Three significant digits, never an exponent. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const power = bytes === 0 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const value = bytes / 1024 ** power;
  return `${Number.isInteger(value) ? value : formatNumber(value)} ${units[power]}`;
}
