"""Revoking: every way to select, what goes and what stays, how soon it holds; a run that was killed is completed."""
import datetime
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time

import pytest

from fed import BIN, ENV, wait_until

LONG = bool(os.environ.get("FR_LONG"))


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def two(fed):
    """Members acme (000013, 000015) and umbra (000014), a device of each network."""
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.cli("member", "set", "acme", "--netid", "000015", "--endpoint", "127.0.0.1:8006")
    fed.member("umbra", "000014", "127.0.0.2:8005")
    for netid in ("000013", "000014", "000015"):
        fed.devices(netid, [f"70b3d57ed00000{netid[-2:]}"])
    return fed


def status(fed):
    """Serial → status of members' certificates."""
    return {c["serial"]: c["status"] for c in fed.json("cert", "list") if c["profile"] != "broker"}


def revoke(fed, *args):
    return fed.json("cert", "revoke", *args, "--yes")


def spki(path):
    return re.search(r"([0-9a-f]{64})", openssl("dgst", "-sha256", path))[1]


def test_by_key(two):
    first = two.cert("ns", member="acme", netid="000013")
    key, csr = first.key, two.folder / "again.csr"
    openssl("req", "-new", "-key", key, "-subj", "/CN=x", "-out", csr)
    two.cli("cert", "issue", "--profile", "doh", "--member", "acme", "--csr", csr, "--out", two.folder / "second")
    other = two.cert("doh", member="acme")
    dry = revoke(two, "--key", key, "--dry-run")
    assert dry["revoked"] == 2 and len(dry["certificates"]) == 2 and len(dry["tlsa"]) == 1 and dry["names"] == []
    assert set(status(two).values()) == {"issued"}
    der = two.folder / "key.der"
    openssl("pkey", "-in", key, "-pubout", "-outform", "DER", "-out", der)
    for form in (csr, first.chain, spki(der)):
        assert revoke(two, "--key", form, "--dry-run")["revoked"] == 2
    assert revoke(two, "--key", key, "--cause", "key-compromise")["revoked"] == 2
    assert [s for s, word in status(two).items() if word == "issued"] == [other.serial]
    two.cli("cert", "issue", "--profile", "doh", "--member", "acme", "--csr", csr, "--out", two.folder / "third", code=5)
    # A key that was never certified here can be blocked, and only that.
    fresh = two.folder / "fresh.key"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", fresh)
    fresh.chmod(0o600)
    two.cli("cert", "revoke", "--key", fresh, code=7)
    assert revoke(two, "--key", fresh, "--cause", "key-compromise")["revoked"] == 0
    openssl("req", "-new", "-key", fresh, "-subj", "/CN=x", "-out", csr)
    two.cli("cert", "issue", "--profile", "doh", "--member", "acme", "--csr", csr, "--out", two.folder / "fourth", code=5)


def test_a_member_as_a_whole_vanishes_and_comes_back(two):
    doh, ns = two.cert("doh", member="acme"), two.cert("ns", member="acme", netid="000013")
    asker = two.cert("doh", member="umbra")
    two.start_broker()
    name = "70b3d57ed0000013.deveui.fed.test"
    assert two.query(name, "A", asker).answer
    dry = revoke(two, "--member", "acme", "--dry-run")
    assert dry["revoked"] == 2 and dry["devices"] == 2
    assert dry["names"] == ["000013.netid.fed.test.", "000015.netid.fed.test."]
    assert dry["tlsa"][0].startswith("_ns.000013.netid.fed.test. TLSA 3 1 1 ")
    assert {c["serial"] for c in dry["certificates"]} == {doh.serial, ns.serial}
    assert two.query(name, "A", asker).answer
    two.cli("cert", "revoke", "--member", "acme", code=64)  # nobody to ask
    assert revoke(two, "--member", "acme", "--reason", "left in anger")["revoked"] == 2
    assert not two.query(name, "A", asker).answer and two.query_raw(name, "A", doh)[0] == 403
    assert two.json("member", "show", "acme")["state"] == "suspended"
    two.cli("cert", "issue", "--profile", "doh", "--member", "acme", "--generate", "--out", two.folder / "no", code=5)
    two.cli("member", "resume", "acme")
    assert two.query(name, "A", asker).answer and two.query_raw(name, "A", doh)[0] == 403, "certificates do not come back"


def test_a_network_as_a_whole(two):
    one, other = two.cert("ns", member="acme", netid="000013"), two.cert("ns", member="acme", netid="000015")
    asker = two.cert("doh", member="umbra")
    two.start_broker()
    assert revoke(two, "--netid", "000013")["revoked"] == 1
    assert (status(two)[one.serial], status(two)[other.serial]) == ("revoked", "issued")
    assert not two.query("70b3d57ed0000013.deveui.fed.test", "A", asker).answer
    assert two.query("70b3d57ed0000015.deveui.fed.test", "A", asker).answer
    two.cli("network", "resume", "000013")
    assert two.query("70b3d57ed0000013.deveui.fed.test", "A", asker).answer
    assert not two.query("_ns.000013.netid.fed.test", "TLSA", asker).answer


def test_everything_before_a_time(two):
    old = [two.cert("doh", member="acme"), two.cert("ns", member="umbra", netid="000014")]
    time.sleep(1.1)  # dates are whole seconds
    cut = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    new = two.cert("ns", member="acme", netid="000013")
    two.cli("cert", "revoke", "--before", "2999-01-01", "--yes", code=65)
    two.cli("cert", "revoke", "--before", "teatime", "--yes", code=65)
    assert revoke(two, "--before", cut, "--member", "acme", "--dry-run")["revoked"] == 1
    assert revoke(two, "--before", cut)["revoked"] == 2
    assert [status(two)[c.serial] for c in (*old, new)] == ["revoked", "revoked", "issued"]
    assert [c["status"] for c in two.json("cert", "list") if c["profile"] == "broker"] == ["issued"]
    assert two.json("member", "show", "acme")["state"] == "active"


@pytest.mark.parametrize("args", [("--member", "acme", "--netid", "000013"), ("--key", "00" * 32, "--before", "2026-01-01"), ()])
def test_one_selection_at_a_time(two, args):
    two.cli("cert", "revoke", *args, "--yes", code=64)


def test_the_name_has_to_be_typed(two):
    """On a terminal; script(1) gives it one."""
    two.cert("doh", member="acme")
    for answer, code in (("y", 1), ("umbra", 1), ("acme", 0)):
        done = subprocess.run(["script", "-qec", f"{BIN}/fedroam --state {two.state} cert revoke --member acme", "/dev/null"],
                              input=f"{answer}\n", text=True, capture_output=True, env=ENV, timeout=60, check=False)
        assert done.returncode == code, done.stdout
        assert "type acme to do it" in done.stdout
    assert set(status(two).values()) == {"revoked"}


def connect(fed, cert):
    """An HTTP/1.1 connection to the broker that stays open."""
    context = ssl.create_default_context(cafile=fed.root)
    context.load_cert_chain(cert.chain, cert.key)
    connection = http.client.HTTPConnection(fed.host)
    connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", fed.port)), server_hostname=fed.host)
    connection.auto_open = 0
    return connection


def ask(connection):
    connection.request("GET", "/dns-query?dns=AAABAAABAAAAAAAABjAwMDAxMwVuZXRpZANmZWQEdGVzdAAAAQAB")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_how_soon_it_holds(two, capsys):
    """Refused on an open connection within a second, on the list within five; the TLSA record is gone at once."""
    asker = two.cert("doh", member="umbra")
    bad = two.cert("ns", member="acme", netid="000013")
    two.start_broker()
    path = two.state / "crl" / next((two.state / "ca").glob("*.pem")).with_suffix(".crl").name
    wait_until(path.exists, what="the first list")
    assert two.query("_ns.000013.netid.fed.test", "TLSA", asker).answer
    connection = connect(two, bad)
    assert ask(connection) == 200
    start = time.monotonic()
    two.cli("cert", "revoke", bad.serial)
    done = time.monotonic()
    wait_until(lambda: ask(connection) == 403, 5, "the refusal on the connection that was open")
    refused = time.monotonic()
    assert not two.query("_ns.000013.netid.fed.test", "TLSA", asker).answer
    wait_until(lambda: bad.serial.upper() in openssl("crl", "-in", path, "-inform", "DER", "-noout", "-text"), 5,
               "the serial on the list")
    listed = time.monotonic()
    with capsys.disabled():
        print(f"\n  revoked in {done - start:.3f} s, refused after {refused - start:.3f} s, listed after {listed - start:.3f} s")
    assert refused - done < 1 and listed - done < 5


def test_a_long_selection_blocks_nobody_and_survives_a_kill(two):
    """Hundreds of certificates of one key: they go in slices; the broker is killed in between, and the same command
    completes what was begun."""
    count = 3000 if LONG else 230
    first = two.cert("doh", member="acme")
    csr = two.folder / "again.csr"
    openssl("req", "-new", "-key", first.key, "-subj", "/CN=x", "-outform", "DER", "-out", csr)
    two.start_broker()
    issue_many(two, csr, count)
    assert len(status(two)) == count + 1
    for _ in range(20 if LONG else 3):
        done = subprocess.Popen([str(BIN / "fedroam"), "--state", str(two.state), "cert", "revoke", "--member", "acme", "--yes"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
        wait_until(lambda: two.json("member", "show", "acme")["state"] == "suspended", what="the state bit")
        two.broker.kill()
        done.wait(30)
        two.broker = None
        two.start_broker()
    assert revoke(two, "--member", "acme")["revoked"] >= 0
    assert set(status(two).values()) == {"revoked"}
    assert " 0 damages" in two.cli("zone", "check", code=2).stderr, "a warning: the member is suspended"
    assert "the chain holds" in two.cli("audit", "verify").stdout


def issue_many(fed, csr, count):
    """Certificates for one request over control.sock, many at once."""
    import concurrent.futures
    envelope = json.dumps({"args": {"profile": "doh", "member": "acme"}}).encode()
    body = len(envelope).to_bytes(4, "big") + envelope + csr.read_bytes()
    frame = fed.folder / "frame"
    frame.write_bytes(body)
    source = (pathlib_of("broker/admin/message.h")).read_text()
    kind = re.search(r'FR_ADMIN_FRAME_TYPE "([^"]+)"', source)[1]
    path = re.search(r'FR_ADMIN_PATH "([^"]+)"', source)[1]

    def one(_):
        done = subprocess.run(["curl", "-sS", "--unix-socket", str(fed.state / "control.sock"), "-H", f"content-type: {kind}",
                               "--data-binary", f"@{frame}", "-o", "/dev/null", "-w", "%{http_code}",
                               f"http://localhost{path}cert.issue"], capture_output=True, text=True, check=False)
        assert done.stdout == "200", done

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(count)))


def pathlib_of(name):
    from fed import SOURCE
    return SOURCE / name
