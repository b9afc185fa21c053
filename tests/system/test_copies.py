"""How far copies are, as the primary sees it: replicas and secondaries, in lists, metrics and doctor; and what else doctor finds when it is
broken on purpose: clock, disk, an old token."""
import json
import subprocess

from fed import BIN, ENV, tool, wait_until
from replicas import Replica, eui, pair, status, wait_same  # noqa: F401 (pair is a fixture)
from secondaries import EUIS, Bind, Broker


def test_replicas_are_listed(pair):
    primary, replica = pair
    wait_same(primary, replica)
    def is_level():
        row, = primary.json("replica", "list")
        return (row["host"], row["behind"], row["lag_s"]) == ("b2", 0, 0) and row["position"] == status(replica)["position"]
    wait_until(is_level, 30, "b2 to be level")
    # one that was never heard
    third = Replica(primary, "b3")
    rows = {row["host"]: row for row in primary.json("replica", "list")}
    assert rows["b3"]["position"] is None and rows["b2"]["position"] > 0
    # one that is away falls behind
    replica.stop()
    primary.devices("000013", [eui(n) for n in range(200, 260)])
    primary.cli("device", "add", "--netid", "000013", eui(300))
    row = next(row for row in primary.json("replica", "list") if row["host"] == "b2")
    assert row["behind"] > 0
    seen = primary.metrics()
    assert seen['fedroam_replica_follower_behind{federation="fed.test",host="b2"}'] >= row["behind"]
    assert 'fedroam_replica_follower_lag_seconds{federation="fed.test",host="b2"}' in seen
    assert seen['fedroam_replica_follower_silence_seconds{federation="fed.test",host="b3"}'] < 600
    # it comes back under the same name
    replica.start_broker()
    wait_same(primary, replica)
    assert sorted(row["host"] for row in primary.json("replica", "list")) == ["b2", "b3"]
    serial = next(row["serial"] for row in primary.json("cert", "list") if row["host"] == "b3")
    primary.cli("cert", "revoke", serial, "--yes")
    assert [row["host"] for row in primary.json("replica", "list")] == ["b2"]
    assert not third.broker
    # a replica follows, and nobody follows it
    assert replica.json("replica", "list") == []


def test_secondaries_are_listed(tmp_path):
    fed = Broker(tmp_path)
    fed.devices("000013", EUIS[:5])
    fed.start_broker()
    bind = Bind(tmp_path / "bind", fed)
    fed.add_secondary(bind)
    fed.wait_agree(bind)
    row, = fed.json("zone", "secondary", "list")
    assert (row["name"], row["serial"], row["behind"]) == ("bind", bind.serial(), 0) and row["silent_s"] < 60
    bind.kill()
    fed.cli("device", "add", "--netid", "000013", *EUIS[5:8])
    row, = fed.json("zone", "secondary", "list")
    assert row["behind"] == 1
    seen = fed.metrics()
    assert seen['fedroam_secondary_behind{federation="fed.test",secondary="bind"}'] == 1
    assert seen['fedroam_secondary_serial{federation="fed.test",secondary="bind"}'] == row["serial"]
    fed.cli("zone", "secondary", "remove", "bind")
    assert fed.json("zone", "secondary", "list") == []
    fed.stop()
    assert fed.json("zone", "secondary", "list") == []


def doctor(fed):
    return {row["check"]: row for row in json.loads(fed.cli("-o", "json", "doctor", code=None).stdout)}


def test_doctor_finds_a_clock_an_old_token_and_a_lag(pair):
    primary, replica = pair
    wait_same(primary, replica)
    wait_until(lambda: "replica" not in doctor(replica), what="a first contact")
    assert not {"clock", "token", "replica"} & set(doctor(primary)) and not {"clock", "replica", "backup"} & set(doctor(replica))
    # eight days on
    primary.cli("token", "create", "--member", "umbra", "--profile", "doh", "--ttl", "30d")
    wait_same(primary, replica)
    primary.offset = replica.offset = "+8d"
    row = doctor(primary)["token"]
    assert "8 days" in row["what"] and row["mend"].startswith("fedroam token revoke ")
    assert doctor(replica)["replica"]["level"] == "critical", "the clock of this doctor is a week ahead of the last contact"
    primary.offset = None
    primary.cli(*row["mend"].split()[1:])
    primary.offset = "+8d"
    assert "token" not in doctor(primary)
    # behind what was done; far ahead of it
    primary.offset = "-2d"
    row = doctor(primary)["clock"]
    assert row["level"] == "critical" and "clock accept" in row["mend"]
    primary.offset = "+40d"
    assert doctor(primary)["clock"]["level"] == "warning"
    primary.offset = replica.offset = None


def test_doctor_finds_a_full_disk(fed):
    """A file system of its own, where the machine lets a user have one."""
    place = fed.folder / "small"
    place.mkdir()
    script = f"""mount -t tmpfs -o size=24m none {place} && cp -a {fed.state} {place}/state &&
                 dd if=/dev/zero of={place}/filler bs=1M status=none 2>/dev/null; rm -f {place}/x;
                 {BIN}/fedroam --state {place}/state -o json doctor"""
    done = subprocess.run([tool("unshare"), "--user", "--map-root-user", "--mount", "sh", "-c", script], capture_output=True, text=True,
                          env=ENV, timeout=60, check=False)
    rows = {row["check"]: row for row in json.loads(done.stdout)}
    assert rows["disk"]["level"] == "critical" and "0 MiB left" in rows["disk"]["what"], (done.stdout, done.stderr)
