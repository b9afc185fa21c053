"""The broker as secondary of members' own name servers: Debian's BIND and Knot."""
import base64
import json
import signal
import subprocess

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import pytest

from nameservers import EUIS, ZONE, Bind, Knot, address, cname, secret_of, tsig_key
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


def test_clear_text_without_a_key_and_wrong_keys(broker):
    bind = broker.serve(Bind, [cname(e) for e in EUIS[:3]])
    done = broker.primary(bind.port, key=False, code=65)
    assert "clear text" in done.stderr
    for name, fault in (("other.key", "BADKEY"), ("acme.key", "BADSIG")):
        folder = broker.folder / f"wrong-{fault}"
        folder.mkdir()
        broker.primary(bind.port, key=tsig_key(folder, name))
        broker.wait_fault(fault)
        assert broker.devices_of() == []
    secret = secret_of(broker.key)
    broker.primary(bind.port)
    broker.wait_devices(EUIS[:3])
    # the secret is in one private file and nowhere else
    files = [p for p in broker.state.rglob("*") if p.is_file()]
    raw = base64.b64decode(secret)
    holders = [p for p in files if raw in p.read_bytes() or secret.encode() in p.read_bytes()]
    assert [p.parent.name for p in holders] == ["transfer"] and holders[0].stat().st_mode & 0o777 == 0o600


def test_what_is_not_the_members_is_left_out(broker):
    broker.cli("device", "add", "--netid", "00002b", EUIS[5])
    records = [cname(e) for e in EUIS[:6]] + [cname(EUIS[6], "00002b"), cname(EUIS[7], "00002a"), cname("0" * 16),
                                              "x.deveui CNAME 000013.netid.fed.test.", f"{EUIS[8]}.deveui CNAME www.acme.test.",
                                              f"{EUIS[9]}.else CNAME 000013.netid.fed.test.", "www A 192.0.2.80", "mail TXT \"hello\""]
    bind = broker.serve(Bind, records)
    broker.primary(bind.port)
    broker.wait_devices(EUIS[:5])
    shown = broker.shown()
    assert shown["left_out"] == 7 and shown["devices"] == 5
    why = {item["record"].split()[0].split(".")[0]: item["why"] for item in shown["left_out_first"]}
    assert why[EUIS[5]] == "another member's device" and "NetID" in why[EUIS[6]] and "NetID" in why[EUIS[7]]
    assert why["0" * 16] == "a reserved EUI" and "no DevEUI" in why["x"] and "no <NetID>.netid" in why[EUIS[8]]
    assert "apex" in why[EUIS[9]] and "www" not in why
    assert broker.devices_of("00002b") == [EUIS[5]]
    assert "another member's device" in broker.cli("zone", "primary", "show", "acme").stdout
    assert broker.json("zone", "primary", "list")[0]["left_out"] == 7
    # a claim that came by transfer is a conflict like any other
    assert EUIS[5] in broker.cli("device", "conflicts").stdout


def test_more_than_five_percent_waits_for_somebody(broker):
    bind = broker.serve(Bind, [cname(e) for e in EUIS], notify=broker.notify)
    broker.primary(bind.port)
    broker.wait_devices(EUIS)
    gone = [f"update delete {e}.deveui.{ZONE}. CNAME" for e in EUIS[:3]]
    bind.update(*gone)                                                     # 3 of 40: more than 5 %
    shown = broker.wait_state(state="held")
    assert (shown["held_gone"], shown["held_of"], shown["serial"]) == (3, 40, 1)
    assert broker.devices_of() == EUIS
    bind.update(f"update add 70b3d57ed0000099.deveui.{ZONE}. 300 CNAME 000013.netid.fed.test.")
    broker.wait_state(held_serial=3)
    assert broker.devices_of() == EUIS                                     # all of it waits
    assert broker.metrics()['fedroam_transfer_zones{federation="fed.test",state="held"}'] == 1
    broker.cli("zone", "accept", "--member", "bolt", code=7)
    broker.cli("zone", "accept", "--member", "acme", "--reason", "they were sold")
    broker.wait_devices([*EUIS[3:], "70b3d57ed0000099"])
    broker.cli("zone", "accept", "--member", "acme", code=9)
    bind.update(f"update delete {EUIS[3]}.deveui.{ZONE}. CNAME")           # 1 of 38
    broker.wait_devices([*EUIS[4:], "70b3d57ed0000099"])


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


def test_notify_from_others_is_refused(broker):
    bind = broker.serve(Bind, [cname(EUIS[0])])
    broker.primary(bind.port)
    broker.wait_devices(EUIS[:1])

    def notify(zone, key=None, tcp=False):
        message = dns.message.make_query(zone, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        if key:
            message.use_tsig(dns.tsigkeyring.from_text({"acme.key": key}), algorithm=dns.tsig.HMAC_SHA256)
        send = dns.query.tcp if tcp else dns.query.udp
        return send(message, "127.0.0.1", port=broker.notify, timeout=10, ignore_trailing=True)

    for tcp in (False, True):
        assert notify(ZONE, tcp=tcp).rcode() == dns.rcode.NOERROR
        assert notify("else.test", tcp=tcp).rcode() == dns.rcode.REFUSED
        signed = notify(ZONE, secret_of(broker.key), tcp)                  # dnspython checks the answer's signature
        assert signed.rcode() == dns.rcode.NOERROR and signed.had_tsig
        with pytest.raises(dns.tsig.PeerBadSignature):
            notify(ZONE, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", tcp)
    query = dns.message.make_query(ZONE, "SOA")
    assert dns.query.udp(query, "127.0.0.1", port=broker.notify, timeout=10).rcode() == dns.rcode.NOTIMP


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


def test_the_journal_has_one_record_for_a_change(broker):
    bind = broker.serve(Bind, [cname(e) for e in EUIS[:3]], notify=broker.notify)
    broker.primary(bind.port)
    broker.wait_devices(EUIS[:3])
    before = json.loads(broker.cli("store", "info", "-o", "json").stdout)["sequence"]
    bind.update(f"update add {EUIS[3]}.deveui.{ZONE}. 300 CNAME 000013.netid.fed.test.")
    broker.wait_devices(EUIS[:4])
    assert json.loads(broker.cli("store", "info", "-o", "json").stdout)["sequence"] == before + 1
    broker.broker.signal(signal.SIGHUP)
    broker.broker.wait_for("config.loaded")
    bind.update(f"update add {EUIS[4]}.deveui.{ZONE}. 300 CNAME 000013.netid.fed.test.")
    broker.wait_devices(EUIS[:5])
