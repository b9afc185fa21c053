"""Enrolment tokens by the program: made, shown once, listed, revoked."""
import base64
import hashlib
import json
import subprocess

import pytest


@pytest.fixture
def acme(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    return fed


def parts(text):
    form, facts, secret = text.strip().split(".")
    assert form == "FR1"
    return json.loads(base64.urlsafe_b64decode(facts + "=" * (-len(facts) % 4))), secret


@pytest.mark.parametrize("served", [False, True])
def test_a_token_says_where_and_whom(acme, served):
    if served:
        acme.start_broker()
    done = acme.cli("token", "create", "--member", "acme", "--profile", "ns,doh", "--host", "lns1", "--ttl", "1h")
    facts, secret = parts(done.stdout)
    root = acme.folder / "root.der"
    subprocess.run(["openssl", "x509", "-in", acme.root, "-outform", "DER", "-out", root], check=True)
    assert facts == {"fed": "fed.test", "est": f"https://ca.fed.test:{acme.port}/.well-known/est", "broker": acme.url,
                     "root": hashlib.sha256(root.read_bytes()).hexdigest(), "id": facts["id"], "profiles": ["ns", "doh"]}
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert facts["id"] in done.stderr and secret not in done.stderr
    row, = acme.json("token", "list")
    assert (row["id"], row["state"], row["member"], row["profiles"], row["netid"], row["host"], row["used"]) == \
        (facts["id"], "open", "acme", ["ns", "doh"], "000013", "lns1", 0)


def test_the_secret_is_nowhere_on_the_disk(acme):
    acme.start_broker()
    facts, secret = parts(acme.cli("token", "create", "--member", "acme", "--profile", "doh").stdout)
    raw = base64.urlsafe_b64decode(secret + "=")
    for path in [*acme.state.rglob("*"), acme.folder / "broker.log"]:
        if path.is_file():
            content = path.read_bytes() if path.stat().st_size < 1 << 28 else b""
            assert secret.encode() not in content and raw not in content and raw.hex().encode() not in content, path


def test_what_is_refused(acme):
    acme.member("umbra", "000014")
    acme.member("bare")
    create = ("token", "create", "--member")
    acme.cli(*create, "nobody", "--profile", "doh", code=7)
    for args in (["acme", "--profile", "broker"], ["acme", "--profile", "x"], ["acme", "--profile", "doh,doh"],
                 ["acme", "--profile", ""], ["acme", "--profile", "js"], ["bare", "--profile", "ns"],
                 ["acme", "--profile", "doh", "--netid", "000013"], ["acme", "--profile", "ns", "--netid", "000014"],
                 ["acme", "--profile", "doh", "--ttl", "31d"], ["acme", "--profile", "doh", "--ttl", "1s"],
                 ["acme", "--profile", "doh", "--ttl", "soon"], ["acme", "--profile", "doh", "--host", "a.b"],
                 ["acme", "--profile", "doh", "--rights", "fly"], ["acme"]):
        done = acme.cli(*create, *args, code=None)
        assert done.returncode not in (0, 99) and done.stderr and not done.stdout, args
    acme.cli("member", "suspend", "acme")
    assert acme.cli(*create, "acme", "--profile", "doh", code=None).returncode != 0
    assert acme.json("token", "list", "--all") == []
    done = acme.cli(*create, "umbra", "--profile", "ns", "--dry-run")
    assert done.stdout == "" and acme.json("token", "list", "--all") == []


def test_revoked_ones_are_listed_only_when_asked(acme):
    ident = json.loads(acme.cli("-o", "json", "token", "create", "--member", "acme", "--profile", "doh").stdout)["id"]
    assert "revoked" in acme.cli("token", "revoke", ident).stdout
    assert "unchanged" in acme.cli("token", "revoke", ident).stdout
    assert acme.json("token", "list") == []
    assert acme.json("token", "list", "--all")[0]["state"] == "revoked"
    acme.cli("token", "revoke", "0" * 32, code=7)
    assert acme.cli("token", "revoke", "xyz", code=None).returncode != 0
    assert "unchanged" in acme.cli("token", "approve", ident).stdout


def test_enrolment_operations_are_not_for_users_of_this_machine(acme):
    """enrol.* trusts what EST checked: the control socket and the program must not reach it."""
    acme.start_broker()
    for op, args in (("enrol.token", {"token": "0" * 32}), ("enrol.renew", {"serial": "0" * 32})):
        done = subprocess.run(["curl", "-sS", "--unix-socket", acme.state / "control.sock", "-H",
                               "content-type: application/json", "-d", json.dumps({"args": args}),
                               f"http://localhost/admin/v1/{op}"], capture_output=True, text=True, check=False)
        assert "asked by members" in done.stdout, done.stdout
