// The harness itself: a hang has to end, and to be explained.
import { Crew } from './crew.js';
import { uniqueName } from './paths.js';
import { processesWith } from './proc.js';

const says = (what: object): string =>
  `process.stdout.write('@rank:' + ${JSON.stringify(JSON.stringify(what))} + '\\n');`;
const forEver = 'setInterval(() => {}, 1000);';

/** One crew, disposed of whatever happens. */
async function withCrew(
  timeoutMs: number,
  use: (crew: Crew, start: (rank: number, program: string) => void) => Promise<void>,
): Promise<void> {
  const crew = new Crew(timeoutMs);
  const mark = uniqueName();
  try {
    await use(crew, (rank, program) =>
      crew.start(process.execPath, ['-e', program], { ...process.env, CREW_TEST: mark }, rank),
    );
  } finally {
    crew.dispose();
  }
  // Killed children are reaped by the event loop.
  while (processesWith(`CREW_TEST=${mark}`).length > 0) await new Promise((resolve) => setImmediate(resolve));
}

describe('a crew', () => {
  it('1. collects what its ranks return, and how they end', () =>
    withCrew(30_000, async (crew, start) => {
      start(0, says({ rank: 0, result: { a: 1 } }));
      start(1, `console.log('text'); ${says({ rank: 1, result: null })} process.exit(3);`);
      await crew.ended();
      expect(crew.exits()).toEqual([0, 3]);
      expect(crew.outcomes(2).map(({ result }) => result)).toEqual([{ a: 1 }, null]);
      expect(crew.outcomes(2)[1]!.output).toEqual(['text']);
    }));

  it('2. waits for an event, and for one that has been told already', () =>
    withCrew(30_000, async (crew, start) => {
      start(0, `${says({ rank: 0, event: 'ready', data: 5 })} ${forEver}`);
      expect(await crew.event(0, 'ready')).toBe(5);
      expect(await crew.event(0, 'ready')).toBe(5);
      crew.killAll();
      await crew.ended();
      expect(crew.exits()).toEqual(['SIGKILL']);
    }));

  it('3. fails when all have ended and the event was not told', () =>
    withCrew(30_000, async (crew, start) => {
      start(0, '');
      await expect(crew.event(0, 'ready')).rejects.toThrow('ended before rank 0 told ready');
    }));

  it('4. kills a rank that hangs, with all that it has started, and says what it was doing', () =>
    withCrew(1_500, async (crew, start) => {
      const child = `require('node:child_process').spawn(process.execPath, ['-e', '${forEver}'], { stdio: 'ignore' });`;
      start(0, `${says({ rank: 0, note: 'waiting for Godot' })} console.log('last words'); ${child} ${forEver}`);
      const error: Error = await crew.ended().then(
        () => new Error('it ended'),
        (reason) => reason,
      );
      expect(error.message).toMatch(/not finished after 1500 ms.*waiting for Godot.*last words/s);
    }));
});
