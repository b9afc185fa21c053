"""The broker as secondary of members' own name servers: Debian's BIND and Knot."""
import subprocess

import pytest

from nameservers import EUIS, ZONE, Bind, Knot, address, cname
from transfers import Broker


@pytest.fixture
def broker(tmp_path):
    federation = Broker(tmp_path)
    yield federation
    federation.stop()


def changes(broker):
    return broker.metrics()['fedroam_transfers_total{federation="fed.test",result="changes"}']


def test_bind_transfers_notifies_and_streams_changes(broker):
    bind = broker.serve(Bind, [cname(e) for e in EUIS[:20]], notify=broker.notify)
    broker.primary(bind.port, netids=("000013", "00002a"))
    broker.wait_devices(EUIS[:20])
    assert broker.shown()["state"] == "good" and broker.shown()["serial"] == 1
    acme = broker.cert("doh", member="acme")
    assert str(broker.query(f"{EUIS[0]}.deveui.fed.test", "CNAME", acme).answer[0][0].target) == "000013.netid.fed.test."
    # a stream of changes, each told by NOTIFY: none of them needs the whole zone again
    full = broker.metrics()['fedroam_transfers_total{federation="fed.test",result="full"}']
    have = set(EUIS[:20])
    for i in range(20, 30):
        bind.update(f"update add {EUIS[i]}.deveui.{ZONE}. 300 CNAME 000013.netid.fed.test.")
        have.add(EUIS[i])
    broker.wait_devices(have)
    bind.update(f"update delete {EUIS[0]}.deveui.{ZONE}. CNAME", f"update add {EUIS[30]}.deveui.{ZONE}. 300 CNAME 000013.netid.fed.test.")
    broker.wait_devices((have - {EUIS[0]}) | {EUIS[30]})
    # one that moves between the member's networks
    bind.update(f"update delete {EUIS[1]}.deveui.{ZONE}. CNAME", f"update add {EUIS[1]}.deveui.{ZONE}. 300 CNAME 00002a.netid.fed.test.")
    broker.wait_devices([EUIS[1]], "00002a")
    assert changes(broker) >= 1
    assert broker.metrics()['fedroam_transfers_total{federation="fed.test",result="full"}'] == full
    assert broker.metrics()['fedroam_transfer_notifies_total{federation="fed.test",result="taken"}'] >= 1
    # an hour of refresh time lies between all this and the next look: it was NOTIFY
    journal = broker.broker.text()
    assert "kind=ixfr" in journal and "transfer.failed" not in journal


def test_knot_with_addresses(broker):
    knot = broker.serve(Knot, [address(e) for e in EUIS[:20]], notify=broker.notify)
    broker.primary(knot.port)
    broker.wait_devices(EUIS[:20])
    knot.update(f"update delete {EUIS[3]}.{ZONE}. A", f"update add {EUIS[20]}.{ZONE}. 300 A 192.0.2.10", program="knsupdate")
    broker.wait_devices([*EUIS[:3], *EUIS[4:21]])
    assert changes(broker) == 1
    # a second record for a device: one of the two that goes does not take it away
    knot.update(f"update add {EUIS[4]}.{ZONE}. 300 AAAA 2001:db8::10", program="knsupdate")
    broker.wait_state(serial=3)
    knot.update(f"update delete {EUIS[4]}.{ZONE}. A", program="knsupdate")
    broker.wait_state(serial=4)
    assert EUIS[4] in broker.devices_of()


def test_over_tls_with_certificates(broker):
    """BIND takes the broker's certificate, and no other; the broker takes BIND's by CA and name, or by its key."""
    other = broker.folder / "other"
    other.mkdir()
    run = lambda *a: subprocess.run(["openssl", *a], check=True, capture_output=True, cwd=other)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out", "cert.pem",
        "-days", "2", "-subj", "/CN=ns1.acme.test", "-addext", "subjectAltName=DNS:ns1.acme.test")
    bind = broker.serve(Bind, [cname(e) for e in EUIS[:3]], tls={"chain": other / "cert.pem", "key": other / "key.pem", "ca": broker.root})
    broker.primary(bind.tls_port, "--tls", "--ca", other / "cert.pem", "--tls-name", "ns1.acme.test", key=False)
    broker.wait_devices(EUIS[:3])
    broker.primary(bind.tls_port, "--tls", "--ca", other / "cert.pem", "--tls-name", "ns2.acme.test", key=False)
    broker.wait_fault("certificate is refused")
    der = subprocess.run("openssl x509 -in cert.pem -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum", shell=True,
                         capture_output=True, text=True, cwd=other, check=True).stdout.split()[0]
    broker.primary(bind.tls_port, "--tls", "--pin", "00" * 32, key=False)
    broker.wait_fault("not the one that was pinned")
    broker.primary(bind.tls_port, "--tls", "--pin", der, key=False)
    broker.wait_state(state="good")
    assert broker.devices_of() == EUIS[:3]
    # without the broker's certificate BIND gives nothing
    done = subprocess.run(["dig", "@127.0.0.1", "-p", str(bind.tls_port), "+tls", ZONE, "AXFR"], capture_output=True, text=True, check=False)
    assert EUIS[0] not in done.stdout


def test_a_server_that_comes_and_goes(broker):
    bind = broker.serve(Bind, [cname(e) for e in EUIS[:5]])
    broker.primary(bind.port)
    broker.wait_devices(EUIS[:5])
    bind.kill()
    broker.cli("zone", "primary", "refresh", "--member", "acme")
    broker.wait_fault("cannot connect")
    assert broker.devices_of() == EUIS[:5]
    # the broker starts again and remembers how far it was
    broker.broker.stop()
    broker.start_broker()
    assert broker.shown()["serial"] == 1 and broker.devices_of() == EUIS[:5]
    broker.cli("zone", "primary", "remove", "--member", "acme")
    assert broker.devices_of() == EUIS[:5]
    broker.cli("zone", "primary", "show", "acme", code=7)


def test_a_large_zone_goes_in_bulk(broker):
    euis = [f"{0x70b3d57ed3000000 + 3 * i:016x}" for i in range(12000)]
    bind = broker.serve(Bind, [cname(e) for e in euis], notify=broker.notify)
    broker.primary(bind.port, "--max-gone", "50", netids=("000013", "00002a"))
    broker.wait_devices(euis)
    # most of them move to the member's other network; none is away meanwhile for good
    bind.stop_and_serve([cname(e, "00002a") for e in euis[:11000]], serial=2)
    broker.cli("zone", "primary", "refresh", "--member", "acme")
    broker.wait_devices(euis[:11000], "00002a")
    broker.wait_devices([])
    assert broker.wait_state(state="good", serial=2)["devices"] == 11000
    broker.cli("zone", "check")
