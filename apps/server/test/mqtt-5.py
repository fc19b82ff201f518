"""A client of MQTT 5 that is not ours (Paho): it says what it sees, one line for each thing."""

import json
import os

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

APP, ME, CLIENT_ID = "tilechat", "alice", "alice-python"
INBOX = f"apps/{APP}/users/{ME}"
OUTBOX = f"apps/{APP}/outgoing/users/{ME}"
HOST, PORT = "127.0.0.1", int(os.environ["CHAT21_MQTT_PORT"])

steps = {}
ended = set()


def properties(packet_type, **values):
    made = Properties(packet_type)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def open_client(user_data):
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2,
        client_id=CLIENT_ID,
        protocol=mqtt.MQTTv5,
        userdata=user_data,
    )
    client.username_pw_set("JWT", os.environ["CHAT21_TOKEN"])
    client.will_set(f"{INBOX}/presence/{CLIENT_ID}", '{"disconnected":true}', qos=1)
    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_publish = on_publish
    client.on_message = on_message
    client.on_disconnect = on_disconnect
    asked = properties(PacketTypes.CONNECT, SessionExpiryInterval=600, ReceiveMaximum=5, UserProperty=("a", "b"))
    client.connect(HOST, PORT, clean_start=False, properties=asked)
    return client


def on_connect(client, name, flags, reason_code, told):
    print(f"{name}: {reason_code}, session {flags.session_present}, expiry {told.SessionExpiryInterval}", flush=True)
    print(f"{name}: aliases {told.TopicAliasMaximum}, retained {told.RetainAvailable}", flush=True)
    client.subscribe([(f"{INBOX}/#", mqtt.SubscribeOptions(qos=1, noLocal=True)), ("apps/#", mqtt.SubscribeOptions())])


def on_subscribe(client, name, mid, reason_codes, told):
    print(f"{name}: subscribed {', '.join(str(code) for code in reason_codes)}", flush=True)
    if name == "second":
        client.disconnect()
        return
    topic = f"{OUTBOX}/messages/bob/outgoing"
    first = properties(PacketTypes.PUBLISH, TopicAlias=1, UserProperty=("trace", "1"), ContentType="application/json")
    steps["good"] = client.publish(topic, json.dumps({"text": "one", "type": "text"}), qos=1, properties=first).mid
    # The empty topic: the alias stands for it.
    alias = properties(PacketTypes.PUBLISH, TopicAlias=1)
    steps["alias"] = client.publish("", json.dumps({"text": "two", "type": "text"}), qos=2, properties=alias).mid


def on_publish(client, name, mid, reason_code, told):
    step = next(key for key, value in steps.items() if value == mid)
    details = dict(getattr(told, "UserProperty", []) or [])
    print(f"{name}: {step} {reason_code} {details.get('code', '')}".rstrip(), flush=True)
    if step == "alias":
        steps["bad"] = client.publish(f"{OUTBOX}/messages/bob/outgoing", "no JSON", qos=1).mid
    if step == "bad":
        steps["second"] = open_client("second")


def on_message(client, name, packet):
    if packet.topic.endswith("/clientadded"):
        print(f"{name}: got {json.loads(packet.payload)['text']}", flush=True)


def on_disconnect(client, name, flags, reason_code, told):
    print(f"{name}: ended {reason_code}", flush=True)
    ended.add(name)


first = open_client("first")
while "first" not in ended:
    first.loop(timeout=1)
while "second" not in ended:
    steps["second"].loop(timeout=1)
