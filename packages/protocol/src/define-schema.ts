/**
 * Makes a schema now, in a form of which every bundler knows that it may be left out where nobody uses it. All schemas
 * of this package are made through it: without, a browser would load them all.
 */
/* @__NO_SIDE_EFFECTS__ */
export function defineSchema<Schema>(make: () => Schema): Schema {
  return make();
}
