"""Secondaries of the federation's zone: Debian's BIND and Knot hold what the broker answers, record by record."""
import os
import random

import dns.message
import dns.query
import dns.rcode
import dns.tsig
import pytest

from nameservers import secret_of
from secondaries import EUIS, Bind, Broker, Knot


@pytest.fixture
def broker(tmp_path):
    federation = Broker(tmp_path)
    yield federation
    federation.stop()


def test_bind_and_knot_follow_every_change(broker):
    broker.devices("000013", EUIS[:20])
    ns = broker.cert("ns", member="acme", netid="000013")
    broker.start_broker()
    bind, knot = Bind(broker.folder / "bind", broker), Knot(broker.folder / "knot", broker)
    broker.add_secondary(bind)
    broker.cli("zone", "secondary", "add", "knot", "--tsig-key", broker.key, "--address", f"127.0.0.1:{knot.port}", code=9)  # its key is taken
    broker.cli("zone", "secondary", "add", "bind", "--tsig-key", broker.key, "--address", f"127.0.0.1:{bind.port}",
               "--address", f"127.0.0.1:{knot.port}")
    broker.servers.append(knot)
    broker.wait_agree(bind, knot)
    full = broker.count("full")
    assert full >= 2 and broker.count("failed") == 0
    # devices come, move, go; an endpoint; a network; a certificate: changes alone, each exactly
    broker.cli("device", "add", "--netid", "000013", EUIS[20], EUIS[21])
    broker.cli("device", "remove", EUIS[0])
    broker.cli("device", "add", "--netid", "00002a", EUIS[1])
    broker.wait_agree(bind, knot)
    broker.cli("network", "set", "000013", "--endpoint", "192.0.2.11:8005", "--endpoint", "[2001:db8::11]:8006")
    broker.cli("joineui", "add", "70b3d57ed0000000/40", "--member", "acme", "--server", "https://192.0.2.30", "--server", "http://js.acme.example")
    broker.wait_agree(bind, knot)
    broker.cli("joineui", "add", "70b3d57ed0000001", "--member", "acme", "--server", "https://192.0.2.31:8443,also=2001:db8::31")
    broker.wait_agree(bind, knot)
    broker.cli("cert", "revoke", ns.serial, "--reason", "test", "--yes")
    broker.wait_agree(bind, knot)
    assert broker.count("changes") >= 2 and broker.count("full") == full, broker.broker.text()[-3000:]
    # a member that is suspended takes all its devices along: the whole zone again
    broker.cli("member", "suspend", "acme", "--yes")
    broker.wait_agree(bind, knot)
    assert not any(".deveui." in r for r in bind.records())
    assert broker.count("full") > full
    broker.cli("member", "resume", "acme")
    broker.wait_agree(bind, knot)
    # NOTIFY reached both
    sent = broker.metrics()['fedroam_secondary_notifies_total{federation="fed.test",result="answered"}']
    assert sent >= 2


def test_over_tls_with_the_right(broker):
    broker.devices("000013", EUIS)
    cert = broker.cert("doh", member="acme")
    broker.start_broker()
    bind = Bind(broker.folder / "bind", broker, cert)
    broker.add_secondary(bind, "--xot")
    # a member's certificate alone is not enough
    broker.wait_for_log("secondary.refused", "no-right")
    assert bind.records() is None
    broker.cli("cert", "set", cert.serial, "--right", "lookup", "--right", "secondary")
    broker.wait_agree(bind)
    broker.cli("device", "remove", EUIS[3])
    broker.wait_agree(bind)
    assert broker.count("changes") >= 1
    # once it is revoked nothing more comes
    broker.cli("cert", "revoke", cert.serial, "--reason", "test", "--yes")
    broker.cli("device", "remove", EUIS[4])
    broker.wait_for_log("secondary.refused", "certificate-revoked")
    assert any(EUIS[4] in r for r in bind.records())


def test_who_is_refused(broker):
    broker.devices("000013", EUIS[:3])
    broker.start_broker()
    broker.cli("zone", "secondary", "add", "ns2", "--tsig-key", broker.key)
    key = {"ns2.key": secret_of(broker.key)}
    for rdtype in ("SOA", "AXFR", "A"):
        assert broker.ask(rdtype).rcode() == dns.rcode.REFUSED
        assert not broker.ask(rdtype, tcp=False).answer
    with pytest.raises(dns.tsig.PeerBadKey):
        broker.ask("SOA", {"ns3.key": secret_of(broker.key)})
    with pytest.raises(dns.tsig.PeerBadSignature):
        broker.ask("AXFR", {"ns2.key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="})
    assert broker.ask("SOA", key, zone="fed.other").rcode() == dns.rcode.REFUSED
    for tcp in (True, False):
        soa = broker.ask("SOA", key, tcp=tcp)
        assert soa.rcode() == dns.rcode.NOERROR and len(soa.answer) == 1
    serial = soa.answer[0][0].serial
    # one who has the present serial, or says a later one, is told the SOA alone; by datagram everybody is
    assert [len(broker.ask("IXFR", key, serial=s, tcp=t).answer) for s, t in ((serial, True), (serial + 5, True), (serial - 1, False))] == [1, 1, 1]
    assert broker.ask("AXFR", key, tcp=False).rcode() == dns.rcode.FORMERR
    broker.cli("zone", "secondary", "remove", "ns2")
    with pytest.raises(dns.tsig.PeerBadKey):
        broker.ask("SOA", key)
    broker.cli("zone", "secondary", "remove", "ns2", code=7)
    assert broker.json("zone", "secondary", "list") == []
    assert broker.count("refused") >= 6 and broker.count("full") == 0


def test_a_stream_of_changes(broker):
    """Many devices, and changes one after another that nobody waits for."""
    n = 1_000_000 if os.environ.get("FR_LONG") else 10_000
    euis = [f"{0x70b3d57ed0000000 + 3 * i:016x}" for i in range(n)]
    broker.devices("000013", euis)
    broker.start_broker()
    bind, knot = Bind(broker.folder / "bind", broker), Knot(broker.folder / "knot", broker)
    broker.cli("zone", "secondary", "add", "both", "--tsig-key", broker.key, "--address", f"127.0.0.1:{bind.port}",
               "--address", f"127.0.0.1:{knot.port}")
    broker.servers += [bind, knot]
    broker.wait_agree(bind, knot, seconds=600)
    rng = random.Random(7)
    for i in range(8):
        broker.cli("device", "remove", *rng.sample(euis, 3), code=None)
        broker.cli("device", "add", "--netid", rng.choice(("000013", "00002a")), *rng.sample(euis, 3), f"{0x80b3d57ed0000000 + i:016x}")
    broker.wait_agree(bind, knot, seconds=600)
    assert broker.count("full") == 2 and broker.count("failed") == 0, broker.broker.text()[-3000:]
    # a large import is one image: the whole zone
    broker.devices("00002b", [f"{0x90b3d57ed0000000 + i:016x}" for i in range(12_000)])
    broker.wait_agree(bind, knot, seconds=600)
    assert broker.count("full") >= 4


def test_a_restart_and_a_secondary_that_was_away(broker):
    broker.devices("000013", EUIS[:20])
    broker.start_broker()
    bind = Bind(broker.folder / "bind", broker)
    broker.add_secondary(bind)
    broker.wait_agree(bind)
    bind.kill()
    broker.cli("device", "remove", EUIS[0], EUIS[1])
    broker.broker.stop()
    broker.start_broker()
    broker.cli("device", "add", "--netid", "00002a", EUIS[1], EUIS[30])
    bind.run()
    broker.servers.append(bind)
    broker.wait_agree(bind)
    # only devices changed, so the new process can tell the changes, too
    assert broker.count("full") == 0 and broker.count("changes") >= 1, broker.broker.text()[-3000:]
