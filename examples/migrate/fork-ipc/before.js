// A child process transforms arrays of 1 MiB, one at a time.
//   node before.js [arrays]
const { fork } = require('node:child_process');
const { make, report, sum, transform } = require('../work.js');

const arrays = Number(process.argv[2] ?? 100);

if (process.send === undefined) {
  const child = fork(__filename, { serialization: 'advanced' });
  const array = new Float64Array(1 << 17);
  let started;
  let checksum = 0;
  let done = 0;
  child.on('message', (answer) => {
    if (answer !== 'ready') {
      checksum += sum(answer);
      done += 1;
    }
    started ??= performance.now();
    if (done < arrays) child.send(make(array, done));
    else {
      report('fork', started, checksum);
      child.disconnect();
    }
  });
} else {
  process.on('message', (array) => process.send(transform(array)));
  process.send('ready');
}
