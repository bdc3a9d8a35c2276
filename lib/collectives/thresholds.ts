// From which length on which algorithm is used, in bytes. Below these the number of messages counts, above them the number
// of bytes that each rank moves. Set by `npx uintr run -n 4 dist/bench/ranks/collectives.js`, and with 2, 3, 5 and 8 ranks,
// on two processors. There what all ranks move together counts, and not what the busiest one does as in the literature's
// networks: what gains only where each rank has a processor is used from where it loses least.

export const THRESHOLDS = {
  /** Of the buffer: binomial tree below, scatter and ring allgather from here on. */
  bcastLong: 512 * 1024,
  /** From this many ranks on a long buffer is scattered; among up to 8 the tree was faster for all lengths. */
  bcastLongRanks: 16,
  /** Of a block: binomial tree below, each block straight to or from its rank from here on. */
  treeBlockLong: 256,
  /** Of the result: recursive doubling below, ring from here on. */
  allgatherDoublingLong: 8 * 1024 * 1024,
  /** Of the result, where the number of ranks is not a power of two: Bruck below, ring from here on. */
  allgatherBruckLong: 128 * 1024,
  /** Of a block: Bruck below, each to each at once from here on. */
  alltoallMedium: 256,
  /** From this many ranks on Bruck's saves messages enough for what it copies. */
  alltoallBruckRanks: 8,
  /** Of a block: each to each at once below, in pairs from here on. */
  alltoallLong: 4 * 1024 * 1024,
  /** Of the vector: what goes through the tree at a time. Shorter ones cost more waits than they save. */
  reduceSegment: 1024 * 1024,
  /** Of the vector: recursive doubling below, Rabenseifner's from here on. */
  allreduceLong: 512 * 1024,
  /** Of the vector, where the number of ranks is not a power of two: ring from here on. */
  allreduceRing: 1024 * 1024,
  /** Of all blocks: recursive halving below, pairwise exchange from here on. */
  reduceScatterLong: 256 * 1024,
};
