// What a measure has to say, part by part: as text for a terminal, or as Markdown for a page.
import { renderTable, type Table } from './table.js';

export type Part = { heading: string } | { table: Table } | { notes: string[] };

export function asText(parts: Part[]): string {
  return joined(parts, (part) => {
    if ('heading' in part) return part.heading;
    return 'table' in part ? renderTable(part.table.header, part.table.rows) : part.notes.join('\n');
  });
}

export function asMarkdown(parts: Part[]): string {
  return joined(parts, (part) => {
    if ('heading' in part) return `**${escaped(part.heading)}**`;
    return 'table' in part ? markdownTable(part.table) : part.notes.map((note) => `- ${escaped(note)}`).join('\n');
  });
}

function joined(parts: Part[], render: (part: Part) => string): string {
  return merged(parts).map(render).join('\n\n');
}

/** Notes that follow one another are one part, and a part without any is none. */
function merged(parts: Part[]): Part[] {
  const all: Part[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (!('notes' in part)) all.push(part);
    else if (last && 'notes' in last) all[all.length - 1] = { notes: [...last.notes, ...part.notes] };
    else if (part.notes.length > 0) all.push(part);
  }
  return all;
}

function markdownTable({ header, rows }: Table): string {
  const row = (cells: string[]) => `| ${header.map((_, column) => escaped(cells[column] ?? '')).join(' | ')} |`;
  const rule = header.map((_, column) => (column === 0 ? '---' : '--:'));
  return [row(header), `| ${rule.join(' | ')} |`, ...rows.map(row)].join('\n');
}

/** Text, not markup. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_|<>[\]]/g, '\\$&');
}
