// From which length on which algorithm is used, in bytes. Below these the number of messages counts, above them the number
// of bytes that each rank moves. Set by `npx uintr run -n 4 dist/bench/ranks/collectives.js`, and with 2 and 3 ranks, on two
// processors, where what all ranks move together counts for more than in the literature's networks.

export const THRESHOLDS = {
  /** Of the buffer: binomial tree below, scatter and ring allgather from here on. */
  bcastLong: 512 * 1024,
  /** From this many ranks on a long buffer is scattered; among fewer the tree moves no more bytes. */
  bcastLongRanks: 5,
  /** Of a block: binomial tree below, each block straight to or from its rank from here on. */
  treeBlockLong: 2 * 1024,
  /** Of the result: recursive doubling or Bruck below, ring from here on. */
  allgatherLong: 512 * 1024,
  /** Of a block: Bruck below, each to each at once from here on. */
  alltoallMedium: 256,
  /** From this many ranks on Bruck's saves messages enough for what it copies. */
  alltoallBruckRanks: 8,
  /** Of a block: each to each at once below, in pairs from here on. */
  alltoallLong: 512 * 1024,
  /** Of the vector: binomial tree below, Rabenseifner's from here on. */
  reduceLong: 512 * 1024,
  /** Of the vector: recursive doubling below, Rabenseifner's from here on. */
  allreduceLong: 512 * 1024,
  /** Of the vector, where the number of ranks is not a power of two: ring from here on. */
  allreduceRing: 1024 * 1024,
  /** Of all blocks: recursive halving below, pairwise exchange from here on. */
  reduceScatterLong: 256 * 1024,
} as const;
