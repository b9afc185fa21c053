"""Alarms that reach somebody: a program and a receiver are told once for each stage, over back-off, kill -9 and promotion; acknowledged, mended."""
import json

from fed import Federation, free_port, wait_until
from notices import Receiver, configure, doctor, listed, pager
from replicas import Replica, wait_same
from test_clock import at


def aged(folder):
    """A federation of 60 days ago; of acme one certificate is overdue, of umbra another is over."""
    fed = Federation(folder)
    state = ("--state", fed.state)
    at(fed, "-60d", "ca", "init", "--fed", fed.name, *state, "--url", fed.url)
    at(fed, "-59d", *state, "member", "add", "acme", "--netid", "000013", "--endpoint", "127.0.0.1:8005")
    at(fed, "-58d", *state, "member", "add", "umbra", "--netid", "000014")
    for offset, member in (("-40d", "umbra"), ("-25d", "acme")):
        at(fed, offset, *state, "cert", "issue", "--profile", "doh", "--member", member, "--generate", "--out", folder / "old")
    return fed


def of(fed, member):
    """The notice about this member's certificate."""
    return next((row for row in listed(fed).values() if f"certificate of {member} " in row["what"]), None)


def test_a_program_and_a_receiver_are_told_of_each_once(tmp_path):
    fed = aged(tmp_path)
    port = free_port()
    path, got = pager(fed)
    configure(fed, f"exec: [{path}, --noc]", f"post: http://127.0.0.1:{port}/hook?team=noc")
    fed.start_broker()
    receiver = None
    try:
        wait_until(lambda: {"overdue", "expired", "open"} <= {n["stage"] for n in got()}, 30, "the program to be told")
        late = next(n for n in got() if n["stage"] == "expired")
        assert late["level"] == "critical" and "umbra" in late["what"] and "grace open --member umbra" in late["mend"]
        assert late["federation"] == fed.name and late["until"] < late["since"]
        # The receiver is down: nobody waits for it, and it gets all once it is there.
        wait_until(lambda: of(fed, "acme") and of(fed, "acme")["told"] == ["exec"], 30, "what was told to be recorded")
        assert "notice.not_told" in fed.broker.text() and fed.metrics()[f'fedroam_notices_waiting{{federation="{fed.name}"}}'] >= 2
        receiver = Receiver(port)
        wait_until(lambda: all(row["told"] == ["exec", "post"] for row in listed(fed).values()), 60, "the receiver to be told")
        assert {path for path, _, _ in receiver.taken} == {"/hook?team=noc"} and receiver.taken[0][1] == "application/json"
        for notices in (got(), receiver.notices()):
            keys = [(n["id"], n["stage"]) for n in notices]
            assert len(keys) == len(set(keys)) >= 3, keys
        metrics = fed.metrics()
        assert metrics[f'fedroam_notice_deliveries_total{{federation="{fed.name}",way="post",result="failed"}}'] >= 1
        assert metrics[f'fedroam_notices{{federation="{fed.name}",level="critical",state="open"}}'] == 1

        # Acknowledged: who and why is shown, and doctor does not count it.
        row = of(fed, "acme")
        fed.cli("notify", "ack", row["id"], code=64)
        fed.cli("notify", "ack", "nothing/of/that/name", "--reason", "x", code=7)
        fed.cli("notify", "ack", row["id"], "--reason", "they renew on Monday", "--dry-run")
        assert of(fed, "acme")["acked"] is None
        assert "quiet until" in fed.cli("notify", "ack", row["id"], "--reason", "they renew on Monday").stdout
        row = of(fed, "acme")
        assert row["why"] == "they renew on Monday" and row["acked_by"].startswith(("local:", "cli:"))
        assert row["id"] not in listed(fed, "--open")
        seen = {(r["check"], r["level"]): r["acked"] for r in doctor(fed)}
        assert "they renew on Monday" in seen["overdue", "warning"] and seen["overdue", "critical"] is None
        assert "notice.ack" in fed.cli("audit", "tail").stdout and "notice.look" not in fed.cli("audit", "tail").stdout

        # Mended: renewed, and revoked.
        fed.cert("doh", member="acme")
        fed.cli("cert", "revoke", "--member", "umbra", "--yes", "--reason", "gone")
        wait_until(lambda: not of(fed, "acme") and not of(fed, "umbra"), 30, "the notices to be cleared")
        records = [json.loads(line) for line in fed.cli("-o", "json", "journal", "tail", "-n", "100").stdout.splitlines()]
        changes = [c for r in records for c in r["changes"] if c["kind"] == "notice"]
        assert any(c.get("gone") for c in changes) and any(c.get("told") for c in changes)
    finally:
        if receiver:
            receiver.close()
        fed.stop()


def test_killed_between_the_telling_and_the_store(fed):
    """At least once: what the program took and the store does not know goes once more, and then no more."""
    killed = fed.folder / "killed"
    path, got = pager(fed, then=f"[ -e {killed} ] && exit 0; touch {killed}; kill -9 $PPID")
    configure(fed, f"exec: {path}")
    fed.start_broker()
    wait_until(lambda: not fed.broker.is_running(), 30, "the broker to be killed")
    fed.broker.out.close()
    first, = got()
    assert listed(fed)[first["id"]]["told"] == []
    fed.start_broker()
    wait_until(lambda: listed(fed) and all(row["told"] == ["exec"] for row in listed(fed).values()), 30, "all to be told")
    assert [n["id"] for n in got()].count(first["id"]) == 2
    before = len(got())
    fed.stop()
    fed.start_broker()
    fed.cert("broker", host="b9")  # something changes, and it is looked again
    wait_until(lambda: fed.metrics().get(f'fedroam_notices{{federation="{fed.name}",level="warning",state="open"}}', 0) >= 1, what="metrics")
    assert len(got()) == before


def test_a_promoted_replica_goes_on(tmp_path):
    """It has every notice, tells none twice, and tells what comes later."""
    first = Federation(tmp_path)
    first.init()
    first.member("acme", "000013", "127.0.0.1:8005")
    path, got = pager(first)
    configure(first, f"exec: {path}")
    replica = Replica(first, "b2")
    replica.has_backup = False
    replica.follow(more=f"notify:\n  exec: {path}")
    first.start_broker()
    try:
        replica.start_broker()
        wait_until(lambda: listed(first) and all(row["told"] for row in listed(first).values()), 30, "the primary to tell")
        first.cli("notify", "ack", "backup", "--reason", "tonight")
        wait_same(first, replica)
        told = [(n["id"], n["stage"]) for n in got()]
        assert told and listed(replica) == listed(first)
        first.stop()
        replica.cli("promote", "--yes", "--reason", "the first burnt down")
        # Its issuing key never left the first: that is new.
        wait_until(lambda: any(n["id"].startswith("issuing-key/") for n in got()), 30, "the promoted one to tell")
        wait_until(lambda: all(row["told"] or row["acked"] for row in listed(replica).values()), 30, "all to be told")
        now = [(n["id"], n["stage"]) for n in got()]
        assert now[:len(told)] == told and len(now) == len(set(now))
        assert listed(replica)["backup"]["why"] == "tonight"
    finally:
        replica.stop()
        first.stop()
