// ESM entry of uintr/sync; see index.mts.
export * from './sync.js';
