import { type Chat, connect } from "@chat21/client-sdk";
import { compatToken, type Topology } from "@chat21/testkit";

/** Devices with the SDK, as many as a test needs. */
export class Devices {
  readonly #chats: Chat[] = [];

  /** Connects somebody's device. Answers the texts of each sender, in the order in which it told them. */
  async listen(
    { apiUrl, mqttWsUrl: mqttUrl, secret }: Pick<Topology, "apiUrl" | "mqttWsUrl" | "secret">,
    user: string,
  ): Promise<(sender: string) => string[]> {
    const token = compatToken(user, { secret });
    const chat = await connect({ url: new URL("/", apiUrl).href, apiUrl, mqttUrl, token });
    this.#chats.push(chat);
    const heard: { readonly sender: string; readonly text: string }[] = [];
    chat.on("message", ({ message }) => heard.push(message));
    return (from) => heard.filter(({ sender }) => sender === from).map(({ text }) => text);
  }

  /** Closes all of them. */
  async leave(): Promise<void> {
    await Promise.all(this.#chats.splice(0).map((chat) => chat.close()));
  }
}
