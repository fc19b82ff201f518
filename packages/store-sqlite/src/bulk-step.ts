/**
 * Rows that one call of a bulk change touches; commits wait for it. A call that touches fewer rows was the last one.
 */
export const bulkStep = 500;
