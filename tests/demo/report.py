"""What the demo tells at the end: the sequence of a roaming join with times, the cost on the wire, the verdict."""
import collections
import datetime
import json

# First join and later joins in the measurements of the proof of concept (IMT slides, DevEUI proposal), at the visited network.
IMT = {"first": {"packets": 55, "rtts": 24, "tls_bytes": 25788}, "later": {"packets": 9, "rtts": 6, "tls_bytes": 2793}}
LIMITS = {"first": {"packets": 34, "rtts": 9, "tls_bytes": 12000}, "later": {"packets": 5, "rtts": 1, "tls_bytes": 12000}}

# The events of fedroam-ns that make up a join, as a reader wants them told.
STEPS = {
    "join.uplink": ("gateway", "visited", "Join-request of DevEUI {deveui}"),
    "join.resolve": ("visited", "broker", "DoH: {result}, {home} at {endpoint}; took {took_ms} ms"),
    "join.collected": ("visited", "", "copies from {gateways} gateway(s) collected"),
    "join.request": ("visited", "home", "PRStartReq to NetID {home}"),
    "join.prstart": ("home", "", "certificate, agreement with NetID {visited} and device are in order"),
    "join.joinreq": ("home", "Join Server", "JoinReq"),
    "join.joinans": ("Join Server", "home", "JoinAns: {result}"),
    "peer.answered": ("home", "visited", "{type}: {result}"),
    "join.downlink": ("visited", "gateway", "Join-accept for {window}"),
    "join.tx_ack": ("gateway", "visited", "TX_ACK"),
}
ORDER = {event: i for i, event in enumerate(STEPS)}


def print_sequence(demo):
    """The first roaming join at the visited network server, step by step, from the logs of both servers."""
    starts = [r["time"] for r in demo.visited.events() if r["event"] == "join.uplink"]
    steps = sorted((r for server in (demo.visited, demo.home) for r in server.events()
                    if r["event"] in STEPS and starts[0] <= r["time"] < starts[1]), key=lambda r: (r["time"], ORDER[r["event"]]))
    print("\nThe first roaming join, message by message")
    for record in steps:
        ms = (at(record) - at(steps[0])).total_seconds() * 1000
        sender, receiver, text = STEPS[record["event"]]
        arrow = f"{sender} -> {receiver}" if receiver else sender
        print(f"  {ms:6.0f} ms  {arrow:22} {text.format_map(collections.defaultdict(str, record))}")


def at(record):
    return datetime.datetime.fromisoformat(record["time"].rstrip("Z"))


def print_traffic(first, later, how):
    print(f"\nTraffic of the visited network server for a join ({how})")
    print(f"  {'':34}{'first join':>24}{'later joins':>24}")
    print(f"  {'':34}{'here':>12}{'IMT slides':>12}{'here':>12}{'IMT slides':>12}")
    for key, label in (("packets", "packets (TCP, TLS, DNS)"), ("rtts", "round trips"), ("tls_bytes", "bytes of TLS packets")):
        row = "".join(f"{cell:>12}" for cell in (first[key], IMT["first"][key], later[key], IMT["later"][key]))
        print(f"  {label:34}{row}")


def within_limits(first, later):
    return all(cost[key] is not None and cost[key] <= LIMITS[name][key]
               for name, cost in (("first", first), ("later", later)) for key in cost)


def write(path, results, first, later, how):
    path.write_text(json.dumps({
        "scenarios": [{"name": " ".join(s.name.split()), "passed": s.passed, "join_ms": s.join_ms,
                       "doh_exchanges": s.doh_exchanges} for s in results],
        "traffic": {"measured_by": how, "first": first, "later": later},
    }, indent=2) + "\n")
