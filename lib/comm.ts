// Communicators: groups of ranks, each with messages of its own (MPI 4.1, chapter 7).
import { PointToPoint } from './point-to-point.js';

/** A group of ranks that talk to each other, and to nobody else (MPI 4.1, 7.1). The world is one of all its ranks. */
export abstract class Comm extends PointToPoint {}
