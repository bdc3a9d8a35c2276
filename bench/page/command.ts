// The command that a run was, for a reader to type: without the files and folders it wrote, which are the writer's own.

/** Of one measure alone, if it is named. */
export function commandOf(args: string[], measure?: string): string {
  const shown: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const [option, joined] = args[i].split('=', 2);
    if (!['--json', '--svg', '--page'].includes(option)) shown.push(quoted(args[i]));
    else if (joined === undefined) i++;
  }
  const positional = (at: number) => !shown[at].startsWith('-') && !(shown[at - 1] ?? '').match(/^--(?!quick)[^=]*$/);
  const rest = measure === undefined ? shown : [measure, ...shown.filter((_, at) => !positional(at))];
  return ['npx uintr bench', ...rest].join(' ');
}

function quoted(argument: string): string {
  return /^[\w,./=-]+$/.test(argument) ? argument : `'${argument}'`;
}
