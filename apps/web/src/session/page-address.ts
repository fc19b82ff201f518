/**
 * The address of the folder that holds the page, without a slash at its end. REST (`/api`) and MQTT (`/ws`) are below
 * it, wherever a reverse proxy shows the server.
 */
export function pageAddress(): string {
  return new URL(".", location.href).href.replace(/\/$/, "");
}
