"""Clocks: one that goes back stops issuing and nothing else; certificates that are over renew in a grace. faketime(1)
makes the past; the broker itself runs on the machine's own time."""
import base64
import datetime
import os
import subprocess

import pytest

from fed import BIN, ENV, Federation, tool, wait_until

EST = "/.well-known/est"
NAME = "70b3d57ed0000001.deveui.fed.test"


def at(fed, offset, *args, code=0):
    """fedroam, so much ("-40d", "+2h") from now."""
    fed.offset = offset
    try:
        return fed.run(*args, code=code).stdout
    finally:
        fed.offset = None


def days(n):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=n)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Files:
    def __init__(self, fed, folder, name):
        self.key, self.chain, self.root = folder / f"{name}.key", folder / f"{name}.chain.pem", fed.root


@pytest.fixture
def old(tmp_path):
    """A federation of 60 days ago; .ns of acme, .doh of acme with the right enrol and .umbra are over for ten days."""
    fed = Federation(tmp_path)
    state = ("--state", fed.state)
    at(fed, "-60d", "ca", "init", "--fed", fed.name, *state, "--url", fed.url)
    at(fed, "-59d", *state, "member", "add", "acme", "--netid", "000013", "--endpoint", "127.0.0.1:8005")
    at(fed, "-58d", *state, "member", "add", "umbra", "--netid", "000014")
    folder = tmp_path / "old"
    for offset, args in (("-40d", ("ns", "--member", "acme", "--netid", "000013")),
                         ("-39d", ("doh", "--member", "acme", "--right", "lookup", "--right", "enrol")),
                         ("-38d", ("ns", "--member", "umbra", "--netid", "000014"))):
        at(fed, offset, *state, "cert", "issue", "--profile", *args, "--generate", "--out", folder)
    fed.ns, fed.doh, fed.umbra = (Files(fed, folder, n) for n in ("ns-000013", "doh-acme", "ns-000014"))
    fed.start_broker()
    yield fed
    fed.stop()


def csr_of(fed, key):
    der = subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/", "-outform", "DER"], check=True,
                         capture_output=True).stdout
    path = fed.folder / f"csr-{os.urandom(4).hex()}"
    path.write_bytes(base64.b64encode(der))
    return path


def ask_est(fed, cert, op="simplereenroll", key=None, label=None):
    path = f"{EST}{'/' + label if label else ''}/{op}"
    status, _, body = fed.curl("--http1.1", "-H", "Content-Type: application/pkcs10", "--data-binary",
                               f"@{csr_of(fed, key or cert.key)}", host=f"ca.{fed.name}", path=path, cert=cert)
    return status, body


def test_a_grace_renews_what_is_over_and_nothing_else(old):
    """T24."""
    old.devices("000013", ["70b3d57ed0000001"])
    status, body = ask_est(old, old.ns)
    assert status == 403 and b"expired" in body
    old.cli("grace", "open", "--member", "acme", "--until", days(2), code=64)  # why?
    for until in (days(-1), days(31)):
        old.cli("grace", "open", "--member", "acme", "--until", until, "--reason", "x", code=65)
    old.cli("grace", "open", "--member", "nobody", "--until", days(2), "--reason", "x", code=7)
    old.cli("grace", "open", "--member", "acme", "--until", days(2), "--reason", "flood in the cellar")
    listed, = old.json("grace", "list")
    assert (listed["member"], listed["state"]) == ("acme", "open")

    other = old.folder / "other.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other],
                   check=True, capture_output=True)
    assert ask_est(old, old.ns, key=other)[0] == 403, "its own key"
    assert ask_est(old, old.umbra)[0] == 403, "another member"
    assert ask_est(old, old.doh, "simpleenroll", label="ns")[0] == 403, "renewals alone"
    assert old.query_raw(NAME, "A", old.ns)[0] in (0, 403), "never a look-up"
    assert old.query_raw(NAME, "A", old.ns, host=f"ca.{old.name}")[0] in (0, 403, 404, 421)
    status, body = ask_est(old, old.ns)
    assert status == 200
    pem = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=base64.b64decode(body), check=True,
                         capture_output=True).stdout
    issuing = next((old.state / "ca").glob("*.pem")).read_bytes()
    old.ns.chain.write_bytes(pem + issuing)
    assert old.query(NAME, "A", old.ns).answer, "the new one is as good as any"

    serial, = [c["serial"] for c in old.json("cert", "list", "--member", "umbra")]
    old.cli("cert", "revoke", serial)
    old.cli("grace", "open", "--all", "--until", days(2), "--reason", "everybody was away")
    status, body = ask_est(old, old.umbra)
    assert status == 403 and b"revoked" in body
    assert ask_est(old, old.doh)[0] == 200
    old.cli("grace", "close", "--member", "acme")
    assert ask_est(old, old.doh)[0] == 200, "the one for all is still open"
    old.cli("grace", "close", "--all")
    assert ask_est(old, old.doh)[0] == 403
    old.cli("grace", "close", "--all", code=7)
    assert "grace.open" in old.cli("audit", "tail", "-n", "50").stdout


def test_a_clock_that_went_back_issues_nothing(fed):
    """T23."""
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", ["70b3d57ed0000001"])
    doh = fed.cert("doh", member="acme")
    state = ("--state", fed.state)
    at(fed, "+4m", *state, "member", "set", "acme", "--org", "a little ahead")
    fed.cert("ns", member="acme", netid="000013")  # five minutes are nothing
    at(fed, "+2h", *state, "member", "set", "acme", "--org", "two hours ahead")
    fed.start_broker()
    shown = fed.json("ca", "clock", "show")
    assert not shown["issues"] and 7000 < shown["behind_s"] <= 7200
    done = fed.cli("cert", "issue", "--profile", "doh", "--member", "acme", "--generate", "--out", fed.folder / "no", code=10)
    assert "the clock went back" in done.stderr and "ca clock accept" in done.stderr
    assert ask_est(fed, doh)[0] == 503
    assert fed.query(NAME, "A", doh).answer, "look-ups go on"
    fed.cli("member", "set", "acme", "--org", "so do changes")
    fed.cli("cert", "revoke", serial_of(fed, "ns"))
    path = fed.state / "crl" / next((fed.state / "ca").glob("*.pem")).with_suffix(".crl").name
    wait_until(lambda: serial_of(fed, "ns").upper() in text_of(path), 5, "the revocation list")
    # It is dated by what was done before, so that it is not over sooner than the one it replaced.
    assert date_of(path, "-lastupdate") > datetime.datetime.now().timestamp() + 6000
    fed.cli("ca", "clock", "accept", code=64)
    fed.cli("ca", "clock", "accept", "--dry-run", "--reason", "x")
    assert ask_est(fed, doh)[0] == 503
    fed.cli("ca", "clock", "accept", "--reason", "NTP was two hours ahead")
    assert fed.json("ca", "clock", "show")["issues"]
    assert ask_est(fed, doh)[0] == 200
    assert "the clock is not behind" in fed.cli("ca", "clock", "accept", "--reason", "once more").stdout


def serial_of(fed, profile):
    return next(c["serial"] for c in fed.json("cert", "list") if c["profile"] == profile)


def text_of(crl):
    return subprocess.run(["openssl", "crl", "-in", crl, "-inform", "DER", "-noout", "-text"], check=True, capture_output=True,
                          text=True).stdout if crl.exists() else ""


def date_of(crl, which):
    line = subprocess.run(["openssl", "crl", "-in", crl, "-inform", "DER", "-noout", which], check=True, capture_output=True,
                          text=True).stdout
    return int(subprocess.run(["date", "-d", line.split("=")[1], "+%s"], check=True, capture_output=True, text=True).stdout)


def test_a_far_jump_ahead_is_told(old):
    """Nothing was done for 38 days when the broker made its first list."""
    old.broker.wait_for("event=clock.ahead")


def test_others_clocks_may_be_four_minutes_late(fed):
    fed.member("acme", "000013")
    cert = fed.cert("doh", member="acme")
    late = int(datetime.datetime.now().timestamp()) - 240
    issuing = next((fed.state / "ca").glob("*.pem"))
    subprocess.run(["openssl", "verify", "-attime", str(late), "-CAfile", fed.root, "-untrusted", issuing, cert.chain],
                   check=True, capture_output=True)
