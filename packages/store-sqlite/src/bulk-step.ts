/** Rows that one call of a bulk change touches; commits wait for it. Fewer mean that nothing is left. */
export const bulkStep = 500;
