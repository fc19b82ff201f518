import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Returns different ports of the loopback interface that are free at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Returns `true` when a program accepts connections on the port, else `null`. Made for `waitFor`. */
export async function isListening(port: number): Promise<true | null> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}

/** Returns the port if it is free, else `undefined`. */
export async function freePortOr(port: number): Promise<number | undefined> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return port;
  } catch {
    return undefined;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
