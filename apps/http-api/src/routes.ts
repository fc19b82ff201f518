import type { HttpApiConfig } from "./http-api-config.ts";
import type { Route } from "./route.ts";
import { conversationRoutes } from "./routes/conversations.ts";
import { developmentSignInRoute } from "./routes/development-sign-in.ts";
import { groupRoutes } from "./routes/groups.ts";
import { nameRoutes } from "./routes/names.ts";
import { oldConversationRoutes } from "./routes/old-conversations.ts";
import { oldGroupRoutes } from "./routes/old-groups.ts";
import { oldMessageRoutes } from "./routes/old-messages.ts";
import { oldRestRoutes } from "./routes/old-rest.ts";
import { operationsRoutes } from "./routes/operations.ts";
import { presenceRoutes } from "./routes/presence.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { userRoutes } from "./routes/users.ts";

/**
 * The route table: all routes of the API, in the order in which paths are matched. Express, the OpenAPI document and
 * the tests of access rights are all made from it.
 */
export function routesFor({ signInKey }: Pick<HttpApiConfig, "signInKey">): readonly Route[] {
  return [
    ...operationsRoutes,
    ...userRoutes,
    ...tokenRoutes,
    ...conversationRoutes,
    ...groupRoutes,
    ...presenceRoutes,
    ...nameRoutes,
    ...(signInKey === null ? [] : [developmentSignInRoute]),
    ...oldRestRoutes,
    ...oldConversationRoutes,
    ...oldMessageRoutes,
    ...oldGroupRoutes,
  ];
}
