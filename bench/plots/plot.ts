// A plot as data: what is drawn, and not how.

/** One file for light and one for dark pages. */
export interface Plot {
  /** Of its files. */
  name: string;
  title: string;
  /** What the axes say, and which way is better. */
  subtitle: string;
  panels: Panel[];
  /** Panels side by side. */
  columns: number;
}

export type Panel = LinePanel | BarPanel;

export interface LinePanel {
  kind: 'lines';
  heading?: string;
  x: Axis;
  y: Axis;
  lines: Line[];
  /** A horizontal line to compare with. */
  level?: Level;
}

/** Contestants one below the other. */
export interface BarPanel {
  kind: 'bars';
  heading?: string;
  x: Axis;
  bars: Bar[];
  /** A vertical line to compare with. */
  level?: Level;
}

export interface Axis {
  title: string;
  scale: 'log' | 'linear';
  min: number;
  max: number;
  ticks: Tick[];
}

export interface Tick {
  at: number;
  text: string;
}

export interface Line {
  /** Its contestant, which has a colour. */
  id: string;
  title: string;
  points: [x: number, y: number][];
}

export interface Bar {
  id: string;
  title: string;
  /** None where it did not run. */
  value?: number;
  text: string;
}

export interface Level {
  at: number;
  title: string;
}
