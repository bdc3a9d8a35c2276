// No orphans, even if the launcher is killed with SIGKILL: a shell waits for the end of a pipe whose other end only the
// launcher holds, and then ends the ranks. Where there is no shell, it is done without.
import { type ChildProcess, spawn } from 'node:child_process';

// Each line is the process group of a rank. The launcher ends this shell before it ends itself, so reaching the end of
// the input means that the launcher was killed. No `--` before the groups: dash's kill does not know it.
const SCRIPT = `groups=
while read -r group; do groups="$groups -$group"; done
[ -n "$groups" ] || exit 0
kill -TERM $groups 2>/dev/null
sleep 2
kill -KILL $groups 2>/dev/null`;

export class Guard {
  readonly #shell: ChildProcess;

  constructor() {
    // A session of its own: what ends the launcher's group must not end the guard first.
    this.#shell = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    this.#shell.on('error', () => {});
    this.#shell.stdin!.on('error', () => {});
    this.#shell.unref();
    (this.#shell.stdin as { unref?: () => void }).unref?.();
  }

  watch(group: number): void {
    this.#shell.stdin!.write(`${group}\n`);
  }

  dismiss(): void {
    this.#shell.kill('SIGKILL');
    this.#shell.stdin!.destroy();
  }
}
