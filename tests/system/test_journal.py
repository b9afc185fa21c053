"""The journal as an operator reads it, and the way back it gives: tail, show, export, trim; zone rollback."""
import json
import subprocess

import pytest

from fed import BIN, ENV, wait_until

EUIS = [f"70b3d57ed00000{i:02x}" for i in range(1, 21)]


@pytest.fixture(params=["no broker", "broker"])
def two(fed, request):
    fed.cli("member", "add", "acme", "--netid", "000013", "--netid", "00002a", "--endpoint", "192.0.2.10:8005")
    fed.member("bolt", "00002b", "192.0.2.20:8005")
    if request.param == "broker":
        fed.start_broker()
    return fed


def sequence(fed):
    return fed.json("store", "info")["sequence"]


def devices(fed):
    return sorted(tuple(line.split()) for line in fed.cli("device", "list").stdout.splitlines())


def test_what_was_done_is_there_to_read(two):
    two.cli("device", "add", "--netid", "000013", EUIS[0], EUIS[1], "--reason", "first ones")
    two.cli("device", "add", "--netid", "00002a", EUIS[0])
    last = sequence(two)
    record = two.json("journal", "show", str(last - 1))
    assert record["sequence"] == last - 1 and record["reason"] == "first ones" and record["time"] > "2026"
    assert record["changes"] == [{"kind": "device", "key": eui, "netid": "000013"} for eui in EUIS[:2]]
    assert two.json("journal", "show", str(last))["changes"] == [
        {"kind": "device", "key": EUIS[0], "netid": "00002a", "was_netid": "000013"}]
    two.cli("journal", "show", str(last + 1), code=7)
    lines = two.cli("journal", "tail", "-n", "2").stdout
    assert f"device {EUIS[0]} 00002a (was 000013)" in lines and "first ones" in lines
    assert [json.loads(line)["sequence"] for line in two.cli("journal", "tail", "-n", "3", "-o", "json").stdout.splitlines()] == [
        last - 2, last - 1, last]
    whole = two.json("journal", "export")
    assert [record["sequence"] for record in whole] == list(range(1, last + 1))
    assert {change["kind"] for record in whole for change in record["changes"]} >= {"member", "network", "device"}
    assert two.json("journal", "export", "--since", "2999-01-01") == []
    assert len(two.json("journal", "export", "--since", str(last - 1), "--until", "2999-01-01")) == 2
    assert two.json("journal", "export", "--until", "2000-01-01") == []


def test_tail_follows(two):
    tail = subprocess.Popen([str(BIN / "fedroam"), "--state", str(two.state), "journal", "tail", "-f", "-n", "1"],
                            stdout=subprocess.PIPE, env=ENV, text=True)
    try:
        assert tail.stdout.readline()  # it has begun
        for eui in EUIS[:3]:
            two.cli("device", "add", "--netid", "000013", eui)
        text = ""
        while EUIS[2] not in text:
            line = tail.stdout.readline()
            assert line, "tail -f ended"
            text += line
        assert EUIS[0] in text and EUIS[1] in text
    finally:
        tail.terminate()
        tail.wait()


def test_a_rollback_brings_devices_back_and_nothing_else(two):
    two.cli("device", "add", "--netid", "000013", *EUIS[:6])
    two.cli("device", "set", "--hidden", "yes", EUIS[5])
    then, at = devices(two), sequence(two)
    two.cli("device", "add", "--netid", "00002a", EUIS[0])
    two.cli("device", "remove", EUIS[1], EUIS[2])
    two.cli("device", "add", "--netid", "00002b", EUIS[1])
    two.cli("device", "add", "--netid", "00002b", *EUIS[10:12])
    two.cli("device", "set", "--hidden", "no", EUIS[5])
    two.cli("policy", "set", "ttl.deveui", "2h")
    two.cli("member", "add", "late", "--netid", "000014")
    before = sequence(two)
    counts = json.loads(two.cli("zone", "rollback", "--to", str(at), "--dry-run", "-o", "json").stdout)
    assert {key: counts[key] for key in ("added", "removed", "moved", "hidden", "shown", "left")} == {
        "added": 1, "removed": 2, "moved": 2, "hidden": 1, "shown": 0, "left": 0}
    assert sequence(two) == before
    two.cli("zone", "rollback", "--to", str(at), code=64)  # nobody to ask, and no --yes
    two.cli("zone", "rollback", "--to", str(at), "--yes", "--reason", "the script was wrong")
    assert devices(two) == then
    assert sequence(two) == before + 1
    assert "7200" in two.cli("policy", "show", "ttl.deveui").stdout
    assert two.json("member", "show", "late")["state"] == "active"
    two.cli("zone", "check")
    two.cli("zone", "rollback", "--to", str(before), "--yes")  # and that is undone like anything else
    assert (EUIS[0], "00002a") in devices(two) and len(devices(two)) == 7
    two.cli("zone", "rollback", "--to", str(sequence(two) + 1), "--yes", code=65)


def test_nothing_comes_back_to_what_is_gone(two):
    two.cli("device", "add", "--netid", "00002b", *EUIS[:3])
    two.cli("device", "add", "--netid", "000013", EUIS[5])
    at = sequence(two)
    two.cli("device", "remove", EUIS[5])
    two.cli("member", "remove", "bolt", "--yes")
    wait_until(lambda: len(devices(two)) == 0, what="bolt's devices to be cleaned away")
    two.cli("member", "add", "third", "--netid", "00002b")  # another one has that NetID now
    done = two.cli("zone", "rollback", "--to", str(at), "--yes")
    assert "1 added" in done.stdout and "3 left" in done.stdout
    assert devices(two) == [(EUIS[5], "000013")]
    assert two.json("member", "show", "bolt")["state"] == "removed"


def test_as_far_back_as_the_last_list(two):
    two.cli("device", "add", "--netid", "000013", EUIS[0])
    two.cli("zone", "import", "--netid", "00002b", "-", stdin="".join(f"{0x70b3d57ed1000000 + i:016x}\n" for i in range(12000)))
    at = sequence(two)
    two.cli("device", "add", "--netid", "000013", EUIS[1])
    assert f"to {at}" in two.cli("zone", "rollback", "--to", str(at - 1), "--yes", code=9).stderr
    two.cli("zone", "rollback", "--to", str(at), "--yes")
    assert two.json("zone", "stats")["devices"] == 12001


def test_the_journal_is_trimmed_by_policy(two):
    for i in range(5):
        two.cli("device", "add", "--netid", "000013", EUIS[i])
    assert json.loads(two.cli("journal", "trim", "-o", "json").stdout)["removed"] == 0
    two.cli("policy", "set", "journal.rows", "999", code=65)
    two.cli("policy", "set", "journal.rows", "1000")
    last = sequence(two)
    assert two.json("journal", "export")[0]["sequence"] == 1
    for _ in range(2):
        two.cli("journal", "trim")
    assert sequence(two) == last
