// Jest runs what tsc made: TypeScript 7 has no compiler API for a transformer to use.
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/test'],
  testMatch: ['<rootDir>/dist/test/**/*.test.js'],
  transform: {},
  // Tests start real processes, and several at once would measure each other.
  maxWorkers: 1,
  testTimeout: 60_000,
};
