"""What a member's name server may change, and who may say that something changed."""
import base64
import json
import signal

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import pytest

from nameservers import EUIS, ZONE, Bind, cname, secret_of, tsig_key
from transfers import Broker


@pytest.fixture
def broker(tmp_path):
    federation = Broker(tmp_path)
    yield federation
    federation.stop()


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


def test_the_journal_has_one_record_for_a_change(broker):
    bind = broker.serve(Bind, [cname(e) for e in EUIS[:3]], notify=broker.notify)
    broker.primary(bind.port)
    broker.wait_devices(EUIS[:3])
    before = json.loads(broker.cli("store", "info", "-o", "json").stdout)["sequence"]
    bind.update(f"update add {EUIS[3]}.deveui.{ZONE}. 300 CNAME 000013.netid.fed.test.")
    broker.wait_devices(EUIS[:4])
    assert json.loads(broker.cli("store", "info", "-o", "json").stdout)["sequence"] == before + 1
    broker.broker.signal(signal.SIGHUP)
    broker.broker.wait_for("broker.reloaded")
    bind.update(f"update add {EUIS[4]}.deveui.{ZONE}. 300 CNAME 000013.netid.fed.test.")
    broker.wait_devices(EUIS[:5])
