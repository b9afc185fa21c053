"""The primary is lost: a replica takes over, nothing is lost unseen, and an acknowledgement is worth what it promises."""
import contextlib
import os
import random
import shutil
import signal
import threading
import time

import pytest

from fed import Daemon, Federation, wait_until
from replicas import LONG, Replica, answers, control, eui, pair, set_federation, start_replica, status, wait_same  # noqa: F401


def test_the_primary_dies_and_the_replica_takes_over(pair, tmp_path):
    primary, replica = pair
    wait_same(primary, replica)
    other = primary.cert("doh", member="umbra")
    wait_until(lambda: answers(replica, 5, other) == 0, what="the certificate at the replica")
    resolver = tmp_path / "resolver.yaml"
    resolver.write_text(f"""federations:
  - name: {primary.name}
    broker:
      - {{url: '{primary.url}', addresses: [127.0.0.1]}}
      - {{url: '{replica.origin}/dns-query', addresses: [127.0.0.1]}}
    ca: {primary.root}
    certificate: {primary.doh.chain}
    key: {primary.doh.key}
""")
    assert "000013" in primary.run("resolve", "--config", resolver, eui(5)).stdout
    # what the primary does alone while nobody follows is lost to the new one, and is kept
    replica.broker.kill()
    primary.cli("device", "add", "--netid", "000013", eui(2000))
    primary.cli("member", "add", "alone")
    primary.broker.kill()
    replica.start_broker()
    assert "000013" in primary.run("resolve", "--config", resolver, eui(5)).stdout
    done = replica.cli("promote", "--reason", "the first one died")
    assert "term 2" in done.stdout and "enrolment" in done.stderr
    assert status(replica)["role"] == "primary"
    replica.cli("device", "add", "--netid", "00002b", eui(3000))
    assert answers(replica, 3000, primary.doh) == 0
    replica.cli("cert", "revoke", other.serial, "--yes")
    assert answers(replica, 5, other) == 403
    assert primary.run("promote", "--state", replica.state, code=None).returncode != 0  # it is already

    # the old one comes back, not knowing: it is told, steps down, and keeps what only it had
    primary.start_broker()
    wait_until(lambda: status(primary)["role"] == "deposed", what="the old primary to step down")
    lost = primary.state / "diverged-2.ndjson"
    wait_until(lost.exists, what="the lost changes")
    assert lost.stat().st_mode & 0o777 == 0o600
    assert [row["changes"] for row in primary.json("replica", "diverged", "list")] == [2]
    assert primary.cli("member", "add", "nope", code=None).returncode != 0
    assert answers(primary, 5, primary.doh) == 503
    wait_until(lambda: primary.curl_plain("/readyz").stdout.endswith("503"), what="not ready")
    # as a replica of the new one it is the same again
    primary.stop()
    set_federation(primary, others=(replica,))
    primary.broker = Daemon("fedroam-broker", ["--config", primary.config], primary.folder / "again.log")
    wait_until(lambda: status(primary)["role"] == "replica", what="the old primary to follow")
    wait_same(replica, primary)
    wait_until(lambda: answers(primary, 3000, primary.doh) == 0, what="answers of the old primary")
    assert answers(primary, 5, other) == 403
    # and what was lost is made again where it may be
    replica.cli("replica", "diverged", "apply", lost)
    assert answers(replica, 2000, primary.doh) == 0
    assert "alone" in replica.cli("member", "list").stdout
    assert primary.cli("replica", "diverged", "drop", lost.name, "--yes").returncode == 0
    wait_same(replica, primary)


def ack(fed, word, wait="2s"):
    set_federation(fed, f"ack: {word}\nack_wait: {wait}")


class Publisher(threading.Thread):
    """Adds one device after the other until its broker is gone; `acked` are those it was told are safe."""

    def __init__(self, fed, first):
        super().__init__()
        self.fed, self.next, self.acked = fed, first, []

    def run(self):
        with contextlib.suppress(OSError, AssertionError):
            while True:
                control(self.fed, "device.add", {"netid": "000013", "devices": [eui(self.next)]})
                self.acked.append(eui(self.next))
                self.next += 1


def devices_of(fed):
    return {row["deveui"] for row in fed.json("device", "list", "--netid", "000013")}


def begin_anew(fed, primary):
    """Its disk is gone: a replica of the other, with the certificate from the safe."""
    safe = fed.folder / "safe"
    for name in ("data.mdb", "lock.mdb", "server.key", "server.chain.pem", "root.pem"):
        (fed.state / name).unlink()
    fed.run("--fed", fed.name, "--state", fed.state, "replica", "init", "--url", primary.origin, "--chain",
            safe / "server.chain.pem", "--key", safe / "server.key", "--ca", safe / "root.pem")


@pytest.mark.parametrize("word", ["local", "replica"])
def test_what_an_acknowledgement_promises(tmp_path, word):
    """Killed in the middle of changes. local: the primary comes back with its disk. replica: its disk is gone, and the
    replica is promoted; then the two change places."""
    primary = Federation(tmp_path).init()
    primary.member("acme", "000013", "127.0.0.1:8005")
    replica = Replica(primary, "b2")
    for fed, other in ((primary, replica), (replica, primary)):
        (fed.folder / "safe").mkdir()
        for name in ("server.key", "server.chain.pem", "root.pem"):
            shutil.copy2(fed.state / name, fed.folder / "safe" / name)
        fed.write_config()
        set_federation(fed, f"ack: {word}\nack_wait: 20s", (other,))
    rng = random.Random(int(os.environ.get("FR_SEED", "11")))
    acked = set()
    try:
        primary.start_broker()
        start_replica(replica)
        for round_ in range(300 if LONG else 2):
            wait_same(primary, replica)
            publisher = Publisher(primary, round_ * 10_000)
            publisher.start()
            wait_until(lambda: publisher.acked or not publisher.is_alive(), 30, "a first acknowledgement")
            time.sleep(rng.random() * 0.3)  # not a wait for anything: where the kill falls
            primary.broker.kill()
            publisher.join(60)
            assert publisher.acked
            acked.update(publisher.acked)
            if word == "local":
                primary.start_broker()
            else:
                assert replica.cli("promote").returncode == 0
                begin_anew(primary, replica)
                start_replica(primary)
                primary, replica = replica, primary
            assert acked <= devices_of(primary)
    finally:
        for fed in (replica, primary):
            if fed.broker and fed.broker.is_running():
                fed.stop()


def test_nobody_confirms(tmp_path):
    """ack: replica without one: the change is made, and said not to be safe."""
    primary = Federation(tmp_path).init()
    ack(primary, "replica", "200ms")
    primary.start_broker()
    try:
        done = primary.cli("member", "add", "acme", code=None)
        assert done.returncode != 0 and "no replica has confirmed" in done.stderr
        assert "acme" in primary.cli("member", "list").stdout
    finally:
        primary.stop()


def test_out_of_touch(pair):
    """Without its primary for longer than max_lag it is not ready, than max_stale it does not answer."""
    primary, replica = pair
    wait_same(primary, replica)
    replica.config.write_text(replica.config.read_text().replace("replica_of:\n", "replica_of:\n      max_lag: 2s\n      max_stale: 4s\n"))
    replica.broker.signal(signal.SIGHUP)
    replica.broker.wait_for("broker.reloaded")
    assert answers(replica, 5, primary.doh) == 0
    primary.broker.kill()
    wait_until(lambda: replica.curl_plain("/readyz").stdout.endswith("503"), what="not ready")
    wait_until(lambda: answers(replica, 5, primary.doh) == 503, 30, "no answers")
    primary.start_broker()
    wait_until(lambda: answers(replica, 5, primary.doh) == 0, 30, "answers again")
