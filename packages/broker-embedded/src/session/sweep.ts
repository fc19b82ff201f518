/** Silence is judged this often, milliseconds; every timeout may come that much late, and none comes early. */
export const sweepEveryMs = 500;
