// Workers as child processes, with Node's own channel and structured clone.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type Filtered, filter, type Image } from './image.js';
import { Answers, Dispatch, type Pool } from './pool.js';

export async function startChildren(workers: number): Promise<Pool> {
  const children = Array.from({ length: workers }, () => fork(__filename, ['worker'], { serialization: 'advanced' }));
  const answers = new Answers();
  for (const child of children) child.on('message', (message) => answers.answered(message as never));
  const dispatch = new Dispatch<ChildProcess>(children);
  return {
    filter: (image) => dispatch.run((child) => answers.ask((id) => void child.send({ id, image }))),
    async close() {
      const ended = children.map((child) => once(child, 'exit'));
      for (const child of children) child.disconnect();
      await Promise.all(ended);
    },
  };
}

function answer({ id, image }: { id: number; image: Image }): void {
  const answer: Filtered = filter(image);
  process.send!({ id, answer });
}

if (require.main === module) process.on('message', answer);
