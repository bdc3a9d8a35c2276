// What the programs of a pair, before and after, have in common: the computation, which is not what differs.

/** Fills an array with numbers that only `seed` decides. */
exports.make = (array, seed) => {
  for (let i = 0; i < array.length; i++) array[i] = (i * 31 + seed * 17) % 1000;
  return array;
};

/** In place. Whole numbers again, so that a sum does not depend on its order. */
exports.transform = (array) => {
  for (let i = 0; i < array.length; i++) array[i] = Math.floor(Math.sqrt(array[i]) * 1000);
  return array;
};

exports.sum = (array) => {
  let sum = 0;
  for (let i = 0; i < array.length; i++) sum += array[i];
  return sum;
};

/** What each program prints: the checksums of a pair are equal. */
exports.report = (what, started, checksum) => {
  console.log(`${what}: ${(performance.now() - started).toFixed(0)} ms, checksum ${checksum}`);
};
