/** Time between two checks for silent clients, milliseconds. A timeout may be late by that much, but never early. */
export const sweepEveryMs = 500;
