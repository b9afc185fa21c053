"""What is kept of look-ups: counts by day and pair, and the query log, with the real broker."""
import csv
import datetime
import io
import json
import os
import signal

import pytest

from fed import wait_until

DEVICES = {"000013": "70b3d57ed0000001", "000014": "70b3d57ed0000002"}
NOBODYS = "70b3d57ed0000099"


@pytest.fixture
def two(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.member("umbra", "000014", "127.0.0.2:8005")
    for netid, eui in DEVICES.items():
        fed.devices(netid, [eui])
    fed.acme, fed.umbra = fed.cert("doh", member="acme"), fed.cert("doh", member="umbra")
    return fed


def ask(fed, cert, eui, rdtype="A"):
    return fed.query(f"{eui}.deveui.fed.test", rdtype, cert)


def with_log(fed, more):
    """broker.yaml with a query log for the federation."""
    fed.write_config()
    text = fed.config.read_text()
    state = f"    state: {fed.state}\n"
    assert state in text
    fed.config.write_text(text.replace(state, state + f"    query_log: {more}\n"))


def restart(fed):
    fed.broker.stop()
    fed.start_broker()


def month(text=None):
    return text or datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m")


def roaming(fed, when=None):
    rows = fed.json("stats", "roaming", "--month", month(when))
    return {(r["visited"], r["home"], r["netid"]): r["lookups"] for r in rows}


def test_look_ups_are_counted_by_pair_and_survive(two):
    two.start_broker()
    for _ in range(3):
        ask(two, two.umbra, DEVICES["000013"])
    ask(two, two.umbra, DEVICES["000013"], "TXT")
    ask(two, two.acme, DEVICES["000013"])
    ask(two, two.acme, DEVICES["000014"])
    ask(two, two.acme, NOBODYS)
    two.query("000013.netid.fed.test", "A", two.acme)
    restart(two)
    want = {("acme", "acme", "000013"): 1, ("acme", "umbra", "000014"): 1, ("umbra", "acme", "000013"): 4}
    assert roaming(two) == want
    ask(two, two.acme, DEVICES["000014"])
    restart(two)
    want["acme", "umbra", "000014"] = 2
    assert roaming(two) == want
    assert roaming(two, "2001-01") == {}


def test_the_three_forms_agree_and_name_no_device(two):
    two.start_broker()
    ask(two, two.umbra, DEVICES["000013"])
    two.broker.stop()
    args = ["stats", "roaming", "--month", month()]
    rows = list(csv.DictReader(io.StringIO(two.cli("-o", "csv", *args).stdout)))
    day = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    assert rows == [{"day": day, "visited": "umbra", "home": "acme", "netid": "000013", "lookups": "1"}]
    assert two.json(*args) == [{**rows[0], "lookups": 1}]
    text = two.cli(*args).stdout
    assert text.split() == ["day", "visited", "home", "netid", "lookups", *rows[0].values()]
    assert DEVICES["000013"] not in text
    assert "visibility" not in text
    for member in ("acme", "umbra"):  # what is held about a member has both sides
        about = json.loads(two.cli("member", "export", member).stdout)
        assert about["lookups"] == [{"day": day, "visited": "umbra", "netid": "000013", "count": 1}]
    for bad in ("2026", "2026-13", "2026-1", "x", "2026-11-01"):
        assert "YYYY-MM" in two.cli("stats", "roaming", "--month", bad, code=64).stderr
    assert "not csv" in two.cli("-o", "csv", "zone", "stats", code=64).stderr
    two.start_broker()


def test_no_query_log_unless_asked_for(two):
    two.start_broker()
    ask(two, two.acme, NOBODYS)
    two.broker.stop()
    assert not list(two.folder.glob("*queries*"))
    two.start_broker()


def test_the_query_log_says_who_asked_for_what(two):
    log = two.folder / "queries.jsonl"
    with_log(two, "{file: queries.jsonl, keep: 7d}")
    two.start_broker()
    two.cli("policy", "set", "budget.misses", "1")
    ask(two, two.umbra, DEVICES["000013"], "AAAA")
    two.query("000013.netid.fed.test", "A", two.acme)
    ask(two, two.acme, NOBODYS)
    two.query_raw(f"{NOBODYS}.deveui.fed.test", "A", two.acme)
    wait_until(lambda: log.exists() and len(log.read_text().splitlines()) == 3, 10, "three lines")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(l["member"], l["deveui"], l["type"], l["answer"]) for l in lines[:2]] == [
        ("umbra", DEVICES["000013"], "AAAA", "000013"), ("acme", NOBODYS, "A", "none")]
    assert lines[2]["answer"] in ("refused", "none")
    when = datetime.datetime.fromisoformat(lines[0]["time"].replace("Z", "+00:00"))
    assert abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) < 60
    assert log.stat().st_mode & 0o777 == 0o600
    assert two.metrics()['fedroam_query_log_lines_total{federation="fed.test",result="written"}'] == 3


def test_the_query_log_is_moved_aside_by_size_and_old_ones_go(two):
    old = two.folder / "queries.jsonl.2001-01-01T00:00:00Z"
    with_log(two, "{file: queries.jsonl, size: 4KiB}")
    old.write_text("{}\n")
    two.start_broker()
    assert not old.exists()
    for _ in range(60):
        ask(two, two.umbra, DEVICES["000013"])

    def moved():
        ask(two, two.umbra, DEVICES["000013"])
        return list(two.folder.glob("queries.jsonl.2*"))
    wait_until(moved, 15, "the file to be moved aside")


def test_a_reload_turns_the_query_log_on_and_off(two):
    log = two.folder / "queries.jsonl"
    two.start_broker()

    def reload(done):
        two.broker.signal(signal.SIGHUP)
        wait_until(lambda: two.broker.text().count("broker.reloaded") == done, 10, "the reload")
    with_log(two, "{file: queries.jsonl}")
    reload(1)
    ask(two, two.umbra, DEVICES["000013"])
    wait_until(lambda: log.exists() and log.read_text().count("\n") == 1, 10, "a line")
    with_log(two, "{file: nowhere/at/all.jsonl}")
    reload(2)
    assert "query_log.refused" in two.broker.text()
    ask(two, two.umbra, DEVICES["000013"])
    wait_until(lambda: log.read_text().count("\n") == 2, 10, "the log to go on")
    two.write_config()
    reload(3)
    ask(two, two.umbra, DEVICES["000013"])
    two.broker.stop()
    assert log.read_text().count("\n") == 2
    two.start_broker()


def test_a_query_log_that_cannot_be_opened_stops_the_start(two):
    with_log(two, "{file: nowhere/at/all.jsonl}")
    with pytest.raises(AssertionError, match="cannot open the query log"):
        two.start_broker()
    two.broker.out.close()
    two.broker = None
    os.makedirs(two.folder / "nowhere" / "at")
    two.start_broker()
