"""Changes that take two persons (T30): who asked cannot agree, who agrees knows to what, and nothing else is done."""
import json
import os
import re
import subprocess

import pytest

from fed import BIN, ENV, SANITIZER_EXIT, Federation, wait_until
from replicas import Replica, start_replica

ADA, BOB, CLEO = "70001", "70002", "70003"  # users that nobody has: they are called by their numbers
LOG_IN = 'echo "$0" > /proc/self/loginuid && exec "$@"'


def can_log_in():
    """May this test give its processes the login that a session has?"""
    return subprocess.run(["sh", "-c", LOG_IN, ADA, "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_log_in(), reason="only root, on a kernel with audit, may say who logged in")


def as_person(fed, who, *args, code=0, env=None):
    """fedroam by somebody who logged in as that and became root since."""
    done = subprocess.run(["sh", "-c", LOG_IN, who, BIN / "fedroam", "--state", fed.state, *args], env=env or ENV, text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode != SANITIZER_EXIT, done.stderr
    assert done.returncode == code, f"{args}: {done.returncode}, not {code}\n{done.stdout}{done.stderr}"
    return done


def asked(done):
    """The number of the request that a refusal tells."""
    return re.search(r"waits for a second person: id ([0-9a-f]{8}), until", done.stderr)[1]


def approve(fed, who, ident, code=0):
    return as_person(fed, who, "approval", "approve", ident, "--yes", "--reason", "seen", code=code)


def two_for(fed, *kinds):
    """From now on these take two."""
    for kind in kinds:
        ident = asked(as_person(fed, ADA, "policy", "set", f"approval.{kind}", "2", code=6))
        approve(fed, BOB, ident)


@pytest.fixture
def fed(tmp_path):
    federation = Federation(tmp_path, workers=1).init()
    federation.member("acme", "000013")
    yield federation
    federation.stop()


@pytest.mark.parametrize("served", [False, True], ids=["in this process", "by the broker"])
def test_one_asks_and_another_agrees(fed, served):
    if served:
        fed.start_broker()
    two_for(fed, "member")
    before = fed.json("member", "list")
    told = as_person(fed, ADA, "member", "add", "bolt", "--netid", "00002b", "--reason", "contract 7", "--dry-run")
    assert "nothing" in told.stderr and fed.json("approval", "list") == []
    ident = asked(as_person(fed, ADA, "member", "add", "bolt", "--netid", "00002b", "--reason", "contract 7", code=6))
    assert fed.json("member", "list") == before
    row = fed.json("approval", "show", ident)
    assert (row["op"], row["who"], row["state"], row["missing"], row["reason"]) == ("member.add", ADA, "waiting", 1, "contract 7")
    assert json.loads(row["arguments"])["id"] == "bolt"
    if served:
        fed.broker.kill()
        fed.start_broker()
    assert "cannot be the second person" in approve(fed, ADA, ident, code=5).stderr
    # What a user sets about himself changes nothing, and neither does becoming somebody else.
    as_person(fed, ADA, "approval", "approve", ident, "--yes", code=5, env=dict(ENV, SUDO_UID="70002", SUDO_USER="bob", LOGNAME="bob"))
    assert "logged in" in fed.cli("approval", "approve", ident, "--yes", code=5).stderr
    done = approve(fed, BOB, ident)
    assert "member.add is done" in done.stdout and row["digest"] in done.stderr and "contract 7" in done.stderr
    assert fed.json("member", "show", "bolt")["state"] == "active"
    assert "done already" in approve(fed, BOB, ident, code=9).stderr
    assert fed.json("approval", "list") == [] and fed.json("approval", "show", ident)["approved"] == [BOB]
    # Both are in the trail, with the number that ties them together; and so is the change itself, by who asked.
    lines = [json.loads(line) for line in (fed.state / "audit.jsonl").read_text().splitlines()]
    of = [(l["op"], l["outcome"]) for l in lines if l.get("result", {}).get("approval") == ident or l["op"] == "approval.approve"]
    assert [x for x in of if x[0] == "member.add"] == [("member.add", "pending"), ("member.add", "done")]
    assert of.count(("approval.approve", "done")) == 2  # the policy's, and this one
    assert "the chain holds" in fed.cli("audit", "verify").stdout


def test_somebody_refuses(fed):
    two_for(fed, "member")
    ident = asked(as_person(fed, ADA, "member", "add", "bolt", code=6))
    as_person(fed, BOB, "approval", "refuse", ident, "--reason", "not our member")
    row = fed.json("approval", "show", ident)
    assert (row["state"], row["closer"], row["why"]) == ("refused", BOB, "not our member")
    approve(fed, CLEO, ident, code=9)
    fed.cli("member", "show", "bolt", code=7)


def test_a_request_is_over_when_its_time_is(fed):
    two_for(fed, "member")
    ident = asked(as_person(fed, ADA, "policy", "set", "approval.wait", "300", code=6))
    approve(fed, BOB, ident)
    ident = asked(as_person(fed, ADA, "member", "add", "bolt", code=6))
    later = ["sh", "-c", LOG_IN, BOB, "faketime", "-f", "+301s", BIN / "fedroam", "--state", fed.state, "approval", "approve", ident, "--yes"]
    env = dict(ENV, ASAN_OPTIONS=ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0")
    done = subprocess.run(later, env=env, text=True, capture_output=True, check=False)
    assert done.returncode == 8 and "time is over" in done.stderr, done.stderr


def test_a_stolen_key_never_waits_and_a_bulk_does(fed):
    fed.start_broker()
    two_for(fed, "revocation")
    cert = fed.cert("doh", member="acme")
    fed.cli("cert", "revoke", cert.serial, "--cause", "key-compromise")
    for line in (["--member", "acme"], ["--netid", "000013"], ["--before", "2026-01-01"]):
        as_person(fed, ADA, "cert", "revoke", *line, "--yes", code=6)
    as_person(fed, ADA, "member", "suspend", "acme")  # what helps at once, and can be undone
    ident = asked(as_person(fed, ADA, "member", "remove", "acme", "--yes", code=6))
    assert fed.json("member", "show", "acme")["state"] == "suspended"
    approve(fed, BOB, ident)
    assert fed.json("member", "show", "acme")["state"] == "removed"


def test_rights_and_what_comes_of_them_go_to_who_asked(fed):
    fed.start_broker()
    two_for(fed, "rights")
    as_person(fed, ADA, "token", "create", "--member", "acme", "--profile", "doh")  # what the profile has anyway
    line = ["token", "create", "--member", "acme", "--profile", "doh", "--rights", "lookup,publish"]
    ident = asked(as_person(fed, ADA, *line, code=6))
    assert "again" in approve(fed, BOB, ident).stdout
    assert asked(as_person(fed, CLEO, *line, code=6)) != ident  # not hers: that one stays ada's
    got = as_person(fed, ADA, *line)
    assert got.stdout.startswith("FR1.")
    assert asked(as_person(fed, ADA, *line, code=6)) != ident  # once
    csr = fed.folder / "own"
    fed.cli("cert", "request", "--member", "acme", "--profile", "doh", "--out", csr)
    line = ["cert", "issue", "--member", "acme", "--profile", "doh", "--csr", csr / "doh-acme.csr", "--right", "enrol", "--out",
            fed.folder / "issued"]
    ident = asked(as_person(fed, ADA, *line, code=6))
    assert fed.json("cert", "list", "--member", "acme") == []
    approve(fed, BOB, ident)
    as_person(fed, ADA, *line)
    serial = fed.json("cert", "list", "--member", "acme")[0]["serial"]
    assert asked(as_person(fed, ADA, "cert", "set", serial, "--right", "enrol", "--right", "replica", code=6))
    as_person(fed, ADA, "cert", "set", serial, "--right", "lookup")  # less never waits


def test_the_next_issuing_ca_takes_two(fed):
    two_for(fed, "authority")
    out = fed.folder / "next"
    line = ["ca", "intermediate", "prepare", "--out", out]
    approve(fed, BOB, asked(as_person(fed, ADA, *line, code=6)))
    as_person(fed, ADA, *line)
    authorities = {a["name"]: a["state"] for a in fed.json("ca", "list") if a["name"] != "root"}
    old, = [name for name, state in authorities.items() if state == "active"]
    new, = [name for name, state in authorities.items() if state in ("ready", "prepared")]
    if authorities[new] == "prepared":
        fed.run("ca", "root", "sign", "--fed", fed.name, "--root", fed.root, "--root-key", fed.state / "root.key", "--csr",
                out / f"{new}.csr", "--out", out, "--transcript", out / "t.txt")
        fed.cli("ca", "intermediate", "install", out / f"{new}.pem")
    ident = asked(as_person(fed, ADA, "ca", "intermediate", "activate", new, code=6))
    approve(fed, BOB, ident)
    assert {a["name"]: a["state"] for a in fed.json("ca", "list")}[new] == "active"
    ident = asked(as_person(fed, BOB, "ca", "intermediate", "retire", old, "--force", "--yes", code=6))
    approve(fed, ADA, ident)
    assert {a["name"]: a["state"] for a in fed.json("ca", "list")}[old] == "retired"


def test_a_second_broker_knows_what_waits(fed):
    fed.start_broker()
    replica = Replica(fed, "b2").follow()
    start_replica(replica)
    try:
        two_for(fed, "member")
        ident = asked(as_person(fed, ADA, "member", "add", "bolt", code=6))
        wait_until(lambda: [r["id"] for r in replica.json("approval", "list")] == [ident], 30, "the request on the replica")
        assert replica.json("approval", "show", ident) == fed.json("approval", "show", ident)
        approve(fed, BOB, ident)
        wait_until(lambda: replica.json("approval", "list") == [], 30, "its end on the replica")
    finally:
        replica.stop()


def test_a_backup_brings_no_request_back(fed):
    two_for(fed, "member")
    ident = asked(as_person(fed, ADA, "member", "add", "bolt", code=6))
    secret = fed.folder / "secret"
    secret.write_text("a long backup passphrase\n")
    backup, again = fed.folder / "b.frb", fed.folder / "again"
    for words in (["backup", "create", "--out", backup], ["restore", backup, "--audit", fed.state / "audit.jsonl"]):
        if words[0] == "restore":
            approve(fed, BOB, ident)  # after the backup: the trail has it
        state = fed.state if words[0] == "backup" else again
        with open(secret) as passphrase:
            os.set_inheritable(passphrase.fileno(), True)
            done = subprocess.run([BIN / "fedroam", "--state", state, *words, "--backup-passphrase-fd", str(passphrase.fileno())], env=ENV,
                                  pass_fds=[passphrase.fileno()], text=True, capture_output=True, check=False)
            assert done.returncode in (0, 2), done.stderr
    run = lambda *args: json.loads(fed.run("--state", again, "-o", "json", *args).stdout)
    assert run("approval", "list") == []
    assert run("approval", "show", ident)["state"] == "refused"
    assert run("member", "show", "bolt")["state"] == "active"  # it was done, and so it is done again
