import { expect, test } from "vitest";
import { readProxies } from "../src/outgoing.ts";

test("Proxies come from the usual variables, and those in small letters win", () => {
  const proxies = readProxies({
    HTTP_PROXY: "http://one.example:3128",
    http_proxy: "http://user:secret@two.example",
    NO_PROXY: "house.example, .other.example",
  });

  expect(proxies).toEqual({
    http: "http://user:secret@two.example",
    https: "",
    except: "house.example, .other.example",
  });
});

test.each(["proxy.example:3128", "socks5://user:secret@proxy.example", "http://"])(
  "A proxy %s is refused aloud, without its password",
  (HTTPS_PROXY) => {
    const refused = () => readProxies({ HTTPS_PROXY });

    expect(refused).toThrow("HTTPS_PROXY: expected an address such as http://proxy.example:3128");
    expect(refused).not.toThrow(/secret/);
  },
);
