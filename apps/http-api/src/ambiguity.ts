import { fullPath, type Route } from "./route.ts";

/**
 * A sentence for a route whose paths are paths of others of the same method as well: who gets them. The router takes
 * the first line of the table that fits; `v1` stands before the existing paths.
 */
export function ambiguity(route: Route, routes: readonly Route[], basePath: string): readonly string[] {
  const path = fullPath(route, basePath);
  const rivals = routes.filter(
    (other) => other !== route && other.method === route.method && overlap(path, fullPath(other, basePath)),
  );
  const place = routes.indexOf(route);
  return rivals.map((other) => {
    const first = routes.indexOf(other) < place ? other : route;
    return `A path that fits \`${fullPath(other, basePath)}\` as well goes to ${first === route ? "this one" : "that one"}.`;
  });
}

/** Whether some path fits both templates. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [one.split("/"), other.split("/")];
  const isOpen = (segment: string | undefined) => segment?.startsWith("{") === true;
  return (
    a.length === b.length && a.every((segment, i) => segment === b[i] || isOpen(segment) || isOpen(b[i]))
  );
}
