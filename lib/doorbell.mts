// ESM entry of uintr/doorbell; see index.mts.
export * from './doorbell.js';
