// Colours: a contestant has the same in every plot, and ours the only strong one.

export type Theme = 'light' | 'dark';
export const themes: readonly Theme[] = ['light', 'dark'];

interface Colors {
  background: string;
  text: string;
  faint: string;
  grid: string;
}

/** The backgrounds are GitHub's. */
export const colors: Record<Theme, Colors> = {
  light: { background: '#ffffff', text: '#1f2328', faint: '#59636e', grid: '#e4e8ec' },
  dark: { background: '#0d1117', text: '#e6edf3', faint: '#9198a1', grid: '#262c36' },
};

type Pair = Record<Theme, string>;

const ours: Pair = { light: '#0b57d0', dark: '#6cb0ff' };
/** Mechanisms, and what has no colour of its own. */
const other: Pair = { light: '#8c959f', dark: '#7d8590' };

const contestants: Record<string, Pair> = {
  uintr: ours,
  openmpi: { light: '#cf3f0a', dark: '#ff8652' },
  mpich: { light: '#9a7b00', dark: '#e3c341' },
  'unix-socket': { light: '#2f8f6f', dark: '#56c29a' },
  worker: { light: '#8a4fb5', dark: '#c08ae6' },
  'worker-transfer': { light: '#c64a8b', dark: '#ee84b8' },
  'child-process': { light: '#7a828a', dark: '#98a1ab' },
  zeromq: { light: '#7d6a4f', dark: '#bfa888' },
  // Of counter, which has nobody else: those that spin, those that sleep, and those that never wait.
  'uintr/mutex': { light: '#cf3f0a', dark: '#ff8652' },
  'uintr/adaptive': { light: '#9a7b00', dark: '#e3c341' },
  'uintr/spinlock': { light: '#8a4fb5', dark: '#c08ae6' },
  'uintr/ticket': { light: '#c64a8b', dark: '#ee84b8' },
  'uintr/atomic': { light: '#2f8f6f', dark: '#56c29a' },
  'uintr/per-cpu': ours,
};

/** Whose colour it has. */
const familyOf = (id: string): string => (id in contestants ? id : id.split('/')[0]);

export function isEmphasised(id: string): boolean {
  return familyOf(id) === 'uintr';
}

export function colorOf(id: string, theme: Theme): string {
  return (contestants[familyOf(id)] ?? other)[theme];
}

/** Of the variants of one contestant, as they come: solid, then ever more broken. */
const dashes: readonly (string | number[])[] = ['solid', [7, 4], [2, 3], [9, 3, 2, 3]];

export function dashOf(id: string, all: string[]): string | number[] {
  const variants = all.filter((other) => familyOf(other) === familyOf(id));
  return dashes[variants.indexOf(id) % dashes.length];
}
