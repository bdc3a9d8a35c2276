// ESM entry. It re-exports the CommonJS build instead of being a second build, so that a program that mixes import and
// require() has one native singleton, one World class and one `instanceof`.
export * from './index.js';
