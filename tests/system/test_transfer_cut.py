"""Transfers that end in the middle, in both directions: a server that is killed, one that falls silent, one that comes back from an old copy."""
import types

import pytest

import nameservers
import secondaries
from fed import free_port, wait_until
from nameservers import ZONE, cname, tsig_key
from relay import Relay
from transfers import Broker

MANY = [f"{0x70b3d57ed4000000 + i:016x}" for i in range(3000)]
PART = 20000  # octets: a tenth of the answer


@pytest.fixture
def broker(tmp_path):
    federation = Broker(tmp_path)
    federation.relays = []
    yield federation
    for relay in federation.relays:
        relay.close()
    federation.stop()


def relayed(broker, *args):
    broker.relays.append(Relay(*args))
    return broker.relays[-1]


def test_bind_is_killed_while_it_is_asked_falls_silent_and_comes_back_older(broker):
    bind = broker.serve(nameservers.Bind, [cname(e) for e in MANY[:10]])
    relay = relayed(broker, bind.port, bind.kill)
    broker.primary(relay.port)
    broker.wait_devices(MANY[:10])
    bind.stop_and_serve([cname(e) for e in MANY], serial=5)
    relay.let_through = PART
    broker.ring()
    broker.wait_fault("closed")
    assert relay.cuts and broker.devices_of() == MANY[:10]
    # half dead: it answers, and then nothing comes
    relay.stalls = True
    (bind.folder / "named.log").unlink()
    bind._run()
    broker.ring()
    broker.wait_fault("silent")
    assert broker.devices_of() == MANY[:10] and broker.shown()["serial"] == 1
    # whole again, it is believed again
    relay.let_through = None
    broker.ring()
    broker.wait_devices(MANY)
    assert broker.wait_state(state="good")["serial"] == 5
    # restored from an old copy: a lower serial with fewer devices is not taken before somebody says so
    bind.stop_and_serve([cname(e) for e in MANY[:2950]], serial=3)
    broker.ring()
    broker.wait_fault("went back")
    assert broker.devices_of() == MANY
    broker.cli("zone", "primary", "refresh", "--member", "acme", "--full")
    broker.wait_devices(MANY[:2950])
    assert broker.wait_state(state="good")["serial"] == 3
    broker.cli("zone", "check")


def test_knot_is_killed_while_it_is_asked(broker):
    knot = broker.serve(nameservers.Knot, [cname(e) for e in MANY])
    relay = relayed(broker, knot.port, knot.kill)
    relay.let_through = PART
    broker.primary(relay.port)
    broker.wait_fault("closed")
    assert relay.cuts and broker.devices_of() == [] and not knot.is_running()
    assert broker.query(f"{MANY[0]}.deveui.fed.test", "CNAME", broker.cert("doh", member="acme")).answer == []


def again(server):
    """BIND waits longer and longer after a failure, but not when it starts."""
    if server.is_running():
        server.kill()
    server.run()


@pytest.mark.parametrize("kind", ("Bind", "Knot"))
def test_a_secondary_or_the_broker_dies_while_the_zone_goes_out(tmp_path, kind):
    broker = secondaries.Broker(tmp_path)
    broker.devices("000013", MANY)
    broker.start_broker()
    relay = Relay(broker.xfr)
    world = types.SimpleNamespace(key=broker.key, xfr=relay.port, xot=free_port())
    try:
        relay.let_through = PART
        broker.cli("zone", "secondary", "add", "ns", "--tsig-key", broker.key, "--address", "127.0.0.1:9")
        server = getattr(secondaries, kind)(tmp_path / kind.lower(), world)
        broker.servers.append(server)
        # the connection ends in the middle: what came is not taken for the zone
        wait_until(lambda: relay.cuts, 60, "a cut")
        assert server.records() is None
        if kind == "Bind":  # killed in the middle itself; Knot asks again and again
            relay.on_cut = server.kill
            again(server)
            wait_until(lambda: not server.is_running(), 60, "its end")
        relay.on_cut = broker.broker.kill
        if kind == "Bind":
            again(server)
        wait_until(lambda: not broker.broker.is_running(), 60, "the broker's end")
        relay.on_cut = relay.let_through = None
        broker.start_broker()
        if kind == "Bind":
            again(server)
        broker.wait_agree(server)
        broker.cli("zone", "check")
    finally:
        relay.close()
        broker.stop()
