// Jest runs what tsc made: TypeScript 7 has no compiler API for a transformer to use.
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/test'],
  testMatch: ['<rootDir>/dist/test/**/*.test.js'],
  transform: {},
  // Tests start real processes, two as a rule, which compute and wait in turns: two at once keep two processors busy.
  // Nothing that a test asserts depends on how long it takes.
  maxWorkers: 2,
  testTimeout: 60_000,
};
