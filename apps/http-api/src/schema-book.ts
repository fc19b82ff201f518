import * as z from "zod";
import { type Component, components } from "./components.ts";

type Json = Record<string, unknown>;

const byName = new Map<string, Component>(Object.entries(components));
const ids = new Map<unknown, string>([...byName].map(([id, { schema }]) => [schema, id]));

/** Names of the protocol's schemas, and what the routes' own schemas say of themselves. */
const metadata = {
  get(schema: z.core.$ZodType): Json | undefined {
    const id = ids.get(schema);
    const own = z.globalRegistry.get(schema);
    return id === undefined ? own : { ...own, id };
  },
};

/** Turns schemas into JSON Schema, and keeps those that have a name, each once, for the document's components. */
export interface SchemaBook {
  /** A reference where the schema has a name. Throws when a name would have two meanings. */
  schema(schema: z.core.$ZodType, io: "input" | "output"): Json;
  /** By name, in order. */
  named(): Record<string, Json>;
}

/** An empty book. */
export function createSchemaBook(): SchemaBook {
  const named = new Map<string, Json>();
  return {
    schema(schema, io) {
      // Zod leaves a root where it is, so that its name would be lost.
      const whole = z.toJSONSchema(z.object({ root: schema }), {
        io,
        unrepresentable: "any",
        metadata: metadata as unknown as typeof z.globalRegistry,
      });
      const text = JSON.stringify(whole).replaceAll('"#/$defs/', '"#/components/schemas/');
      const { properties, $defs = {} } = JSON.parse(text) as {
        properties: { root: Json };
        $defs?: Record<string, Json>;
      };
      for (const [name, { id: _id, ...found }] of Object.entries($defs)) {
        const explained = explain(name, found);
        const known = named.get(name);
        if (known !== undefined && JSON.stringify(known) !== JSON.stringify(explained)) {
          throw new Error(`the name ${name} has two different schemas`);
        }
        named.set(name, explained);
      }
      return properties.root;
    },
    named: () => Object.fromEntries([...named].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function explain(name: string, schema: Json): Json {
  const component = byName.get(name);
  if (component === undefined) return schema;
  for (const [path, description] of Object.entries(component.properties ?? {})) {
    let found: Json | undefined = schema;
    for (const key of path.split("."))
      found = (found?.["properties"] as Record<string, Json> | undefined)?.[key];
    if (found === undefined) throw new Error(`${name} has no property ${path}`);
    found["description"] = description;
  }
  return { description: component.description, ...schema, ...component.json };
}
