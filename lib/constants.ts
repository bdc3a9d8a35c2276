// Values with a meaning of their own where a rank, a tag or a buffer is expected.

/** As `source` of a receive or probe: a message from any rank (MPI 4.1, 3.2.4, MPI_ANY_SOURCE). The default. */
export const ANY_SOURCE = -1;

/** As `tag` of a receive or probe: a message with any tag (MPI 4.1, 3.2.4, MPI_ANY_TAG). The default. */
export const ANY_TAG = -1;

/**
 * As `dest` or `source`: nobody. A send to it and a receive from it are done at once and move nothing; such a receive
 * has source PROC_NULL, tag ANY_TAG and 0 bytes (MPI 4.1, 3.10, MPI_PROC_NULL).
 */
export const PROC_NULL = -2;

/** As `from` of a collective operation: this rank's part lies in `into` already (MPI 4.1, 6.2.1, MPI_IN_PLACE). */
export const IN_PLACE: unique symbol = Symbol.for('uintr.IN_PLACE');

/** The largest tag. */
export const MAX_TAG = 2 ** 31 - 1;
