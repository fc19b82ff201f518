/**
 * Makes a schema now, in a form that every bundler may leave out when it is unused. All schemas of this package are
 * made through it; otherwise a browser would load them all.
 */
/* @__NO_SIDE_EFFECTS__ */
export function defineSchema<Schema>(make: () => Schema): Schema {
  return make();
}
