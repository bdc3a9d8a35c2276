// Workers as child processes, with Node's own channel and structured clone.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type Job, work } from './jobs.js';
import { Answers, Dispatch, type Pool } from './pool.js';

export async function startChildren(workers: number): Promise<Pool> {
  const children = Array.from({ length: workers }, () => fork(__filename, ['worker'], { serialization: 'advanced' }));
  const answers = new Answers();
  for (const child of children) child.on('message', (message) => answers.answered(message as never));
  const dispatch = new Dispatch<ChildProcess>(children);
  return {
    run: (job) => dispatch.run((child) => answers.ask((id) => void child.send({ id, job }))),
    async close() {
      const ended = children.map((child) => once(child, 'exit'));
      for (const child of children) child.disconnect();
      await Promise.all(ended);
    },
  };
}

function answer({ id, job }: { id: number; job: Job }): void {
  process.send!({ id, answer: work(job) });
}

if (require.main === module) process.on('message', answer);
