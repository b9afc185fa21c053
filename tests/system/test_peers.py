"""What a member's machine does when others come, go and move: peers list, peers watch, and the list of networks that `renew` keeps for
ChirpStack; and when an issuing CA signs no more. TOML is read by tomllib, ends of the program come by SIGKILL at any moment."""
import json
import os
import random
import signal
import subprocess
import time
import tomllib

import pytest

from fed import BIN, ENV, Federation, wait_until
from test_ca import ceremony
from test_join import Member, certs, token

LONG = bool(os.environ.get("FR_LONG"))


@pytest.fixture
def fed(tmp_path):
    f = Federation(tmp_path)
    f.init("--root-out", tmp_path / "root.key")
    f.member("acme", "000013", "127.0.0.1:8005")
    f.member("umbra", "000014", "127.0.0.2:8006")
    f.start_broker()
    yield f
    f.stop()


def listed(m):
    return {s["net_id"]: s["server"] for s in m.union()["roaming"].get("servers", [])}


class Program:
    """A command of a member that goes on until it is ended."""

    def __init__(self, m, *args):
        self.process = subprocess.Popen([str(BIN / "fedroam"), *args, "--dir", str(m.folder)], env=ENV, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def line(self):
        return self.process.stdout.readline()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        assert "Sanitizer" not in err, err
        return out, err


def test_peers_are_listed(fed):
    m = Member(fed)
    assert "fedroam join" in m.run("peers", "list", code=7).stderr
    m.join(token(fed, profile="doh"))
    fed.cli("member", "set", "umbra", "--org", "Umbra", "--noc", "noc@umbra.example")
    rows = {row["netid"]: row for row in m.json("peers", "list")}
    assert list(rows) == ["000013", "000014"] and rows["000013"]["org"] is None and rows["000014"]["since"] > "2020"
    assert rows["000014"]["member"] == "umbra" and rows["000014"]["endpoints"] == ["127.0.0.2:8006"]
    assert (rows["000014"]["org"], rows["000014"]["noc"]) == ("Umbra", "noc@umbra.example")
    fed.cli("member", "suspend", "umbra")
    assert m.run("peers", "list", "-o", "csv").stdout.splitlines()[1].startswith("000013,acme,")
    assert "000014" not in m.run("peers", "list").stdout
    fed.cli("member", "suspend", "acme")
    assert m.run("peers", "list", code=5).stderr
    assert m.run("peers", "watch", code=5).stderr


def test_watch_tells_who_comes_goes_and_moves(fed):
    m = Member(fed)
    m.join(token(fed, profile="doh"))
    watch = Program(m, "peers", "watch", "--every", "1s", "-o", "json")
    told = lambda: {k: v for k, v in json.loads(watch.line()).items() if k in ("change", "netid", "member", "endpoints", "org")}
    assert [told()["netid"] for _ in range(2)] == ["000013", "000014"]
    fed.member("wayne", "000015", "127.0.0.3:8005")
    assert told() == {"change": "joined", "netid": "000015", "member": "wayne", "org": None, "endpoints": ["127.0.0.3:8005"]}
    fed.cli("network", "set", "000014", "--endpoint", "127.0.0.2:8007")
    assert told() == {"change": "moved", "netid": "000014", "member": "umbra", "org": None, "endpoints": ["127.0.0.2:8007"]}
    fed.cli("member", "set", "wayne", "--org", "Wayne")
    assert told()["change"] == "changed"
    fed.cli("member", "suspend", "umbra")
    assert told()["change"] == "left"
    fed.broker.stop()  # nothing is said of peers while nobody answers
    fed.cli("member", "resume", "umbra")
    fed.start_broker()
    again = told()
    assert (again["change"], again["netid"]) == ("joined", "000014")
    wait_until(lambda: fed.metrics()['fedroam_api_unchanged_total{federation="fed.test"}'] > 0, 20, "a list that was not sent again")
    _, err = watch.end()
    assert "answers again" in err or "answers" not in err  # the outage may have been shorter than a second
    text = Program(m, "peers", "watch", "--every", "1s")
    assert "here    000013 acme 127.0.0.1:8005" in text.line()
    text.line()
    assert "(Wayne)" in text.line()
    text.end()
    for wrong in ("0", "x", "1ms"):
        m.run("peers", "watch", "--every", wrong, code=64)


def test_chirpstacks_list_follows_the_federation(fed):
    m = Member(fed)
    ran = fed.folder / "ran"
    options = [*m.has_chirpstack(), "--exec", f"echo once >> {ran}"]
    said = json.loads(m.join(token(fed), "-o", "json", *options).stdout)
    assert any("devices that visit 000014 of fed.test" in w for w in said["works"]) and said["peers"]
    assert listed(m) == {"000014": "https://000014.netid.fed.test:8006"}
    own = (m.chirpstack / "chirpstack.toml").read_bytes()

    assert m.json("renew", "--all")["changed"] is False and not ran.exists()
    fed.member("wayne", "000015")  # no endpoint yet: it may carry our devices all the same
    fed.member("stark", "000016", "[::1]:8005")
    fed.cli("network", "set", "000014", "--endpoint", "127.0.0.2:8010")
    said = m.json("renew", "--all")
    assert said["changed"] and said["peers"] == ["fed.test: 000014:8010 moved, 000015:8005 joined, 000016:8005 joined; 3 listed"]
    assert listed(m) == {n: f"https://{n}.netid.fed.test:{p}" for n, p in (("000014", 8010), ("000015", 8005), ("000016", 8005))}
    assert ran.read_text() == "once\n"  # three changes, one restart
    fed.cli("member", "suspend", "umbra")
    fed.cli("member", "remove", "stark", "--yes")
    assert m.json("renew", "--all")["peers"] == ["fed.test: 000014:8010 left, 000016:8005 left; 1 listed"]
    assert m.json("renew", "--all")["peers"] == [] and ran.read_text() == "once\n" * 2
    assert list(listed(m)) == ["000015"] and (m.chirpstack / "chirpstack.toml").read_bytes() == own
    fed.cli("member", "resume", "umbra")

    m.join(token(fed, profile="doh"), "--peer", "000014", "--peer", "000018")  # chosen ones from now on
    assert list(listed(m)) == ["000014"]
    m.join(token(fed, profile="doh"), "--peer", "all")
    assert list(listed(m)) == ["000014", "000015"]


def test_more_networks_than_a_page_holds(fed):
    m = Member(fed)
    m.join(token(fed), *m.has_chirpstack())
    for k in range(16):
        fed.cli("member", "add", f"big{k}", "--endpoint", f"192.0.2.{k}:8005",
                *[word for i in range(64) for word in ("--netid", f"{0x600000 + 64 * k + i:06x}")])
    assert len(m.json("peers", "list")) == 1026
    said = m.json("renew", "--all")
    assert said["peers"][0].endswith(" and 1004 more; 1025 listed") and len(listed(m)) == 1025
    assert m.json("renew", "--all")["peers"] == []
    watch = Program(m, "peers", "watch", "--every", "1s")
    for _ in range(1026):
        watch.line()
    unchanged = lambda: fed.metrics()['fedroam_api_unchanged_total{federation="fed.test"}']
    wait_until(lambda: unchanged() >= 4, 30, "both pages not to be sent again, twice")
    fed.cli("member", "remove", "big15", "--yes")
    assert all(" left " in watch.line() for _ in range(64))
    watch.end()


def test_what_chirpstack_could_not_start_with_is_not_written(fed):
    m = Member(fed)
    ran = fed.folder / "ran"
    m.join(token(fed), *m.has_chirpstack(), "--exec", f"echo once >> {ran}")
    before = (m.chirpstack / "fedroam.toml").read_text()
    (m.chirpstack / "extra.toml").write_text("[roaming.default]\nenabled = true\n")
    fed.member("wayne", "000015", "127.0.0.3:8005")
    done = m.run("renew", "--all", code=9)
    assert "extra.toml:1" in done.stderr and "set by hand" in done.stderr and not ran.exists()
    assert (m.chirpstack / "fedroam.toml").read_text() == before
    (m.chirpstack / "extra.toml").unlink()
    m.run("renew", "--all")
    assert list(listed(m)) == ["000014", "000015"] and ran.read_text() == "once\n"


def test_restarts_wait_for_their_time_and_one_does_for_two_federations(fed, tmp_path):
    (tmp_path / "second").mkdir()
    second = Federation(tmp_path / "second", name="second.test").init()
    second.member("acme-2", "000013", "127.0.0.1:8005")
    second.start_broker()
    try:
        m = Member(fed)
        ran = fed.folder / "ran"
        hour = time.localtime().tm_hour
        away = f"{(hour + 5) % 24:02}:00-{(hour + 6) % 24:02}:00"
        options = [*m.has_chirpstack(), "--exec", f"echo once >> {ran}", "--restart-window", away]
        m.join(token(fed), *options)
        m.join(token(second, member="acme-2"), *options)
        fed.member("wayne", "000015", "127.0.0.3:8005")
        second.member("tyrell", "000021", "127.0.0.4:8005")
        said = m.json("renew", "--all")
        assert list(listed(m)) == ["000014", "000015", "000021"] and not ran.exists()  # written, and not read yet
        assert sum(away in w for w in said["waiting"]) == 2
        for f, name, extra in ((fed, "acme", []), (second, "acme-2", [])):
            m.join(token(f, member=name, profile="doh"), "--restart-window", "00:00-23:59", *extra)
        fed.cli("network", "set", "000014", "--endpoint", "127.0.0.2:8011")
        said = m.json("renew", "--all")
        if time.strftime("%H:%M") != "23:59":
            assert ran.read_text() == "once\n" and len(said["ran"]) == 1
            assert m.json("renew", "--all")["ran"] == []
    finally:
        second.stop()


def test_v3_is_told_its_new_tables(fed):
    m = Member(fed)
    ran = fed.folder / "ran"
    m.join(token(fed), "--lns", "chirpstack-v3", "--exec", f"echo once >> {ran}")
    assert m.json("renew", "--all")["block"] == []
    fed.member("wayne", "000015", "127.0.0.3:8005")
    said = m.json("renew", "--all")
    servers = tomllib.loads(said["block"][0])["roaming"]["servers"]
    assert [s["net_id"] for s in servers] == ["000014", "000015"] and all(s["passive_roaming"] is True for s in servers)
    assert tomllib.loads(m.run("export", "chirpstack-v3").stdout)["roaming"]["servers"] == servers
    assert ran.read_text() == "once\n" and m.json("renew", "--all")["block"] == []


def test_killed_anywhere_the_list_comes_whole(fed):
    """Members come and go; renewals are killed at any moment. Whatever ChirpStack would read is one of the lists there were, and in the
    end it is the last one, and the last restart came after it."""
    m = Member(fed)
    seen = fed.folder / "seen"
    m.join(token(fed), *m.has_chirpstack(), "--exec", f"cp {m.chirpstack}/fedroam.toml {seen}")
    command = [str(BIN / "fedroam"), "renew", "--all", "--dir", str(m.folder)]
    fed.member("wayne", "000015", "127.0.0.3:8005")
    rounds, killed, most = (100 if LONG else 8), 0, 0.5
    for i in range(rounds):
        fed.cli("network", "set", "000015", "--endpoint", f"127.0.0.3:{8100 + i}")
        p = subprocess.Popen(command, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert p.wait(random.uniform(0, most)) == 0
        except subprocess.TimeoutExpired:
            killed += 1
            p.kill()
            p.wait()
        assert set(listed(m)) in ({"000014"}, {"000014", "000015"})
    m.run("renew", "--all")
    assert listed(m)["000015"] == f"https://000015.netid.fed.test:{8100 + rounds - 1}"
    assert seen.read_bytes() == (m.chirpstack / "fedroam.toml").read_bytes() and killed > 0
    assert m.json("renew", "--all")["ran"] == []


def test_the_daemon_follows_and_renews_what_a_tainted_ca_signed(fed, tmp_path):
    """Nobody types anything on the member's machine."""
    m = Member(fed)
    m.join(token(fed), *m.has_chirpstack())
    before = m.pairs()
    daemon = Program(m, "renew", "--daemon", "--every", "1s")
    try:
        fed.member("wayne", "000015", "127.0.0.3:8005")
        wait_until(lambda: "000015" in listed(m), 30, "the list to follow")
        assert m.pairs() == before
        fed.cli("ca", "intermediate", "prepare", "--reason", "drill")
        cert, = ceremony(fed, tmp_path)
        fed.cli("ca", "intermediate", "install", cert)
        fed.cli("ca", "intermediate", "activate", cert.stem, "--reason", "the other may be stolen")
        wait_until(lambda: all(p["serial"] != before[n]["serial"] for n, p in m.pairs().items()), 30, "renewals")
        new = {n: p["serial"] for n, p in m.pairs().items()}
        assert "acme" in fed.json("ca", "show", cert.stem)["members"]
        looks = len(certs(fed))
        fed.cli("network", "set", "000015", "--endpoint", "127.0.0.3:8009")
        wait_until(lambda: listed(m)["000015"].endswith(":8009"), 30, "a later round")
        assert len(certs(fed)) == looks and {n: p["serial"] for n, p in m.pairs().items()} == new  # once
    finally:
        _, err = daemon.end()
    assert "as its CA signs no more" in err


def test_a_new_key_waits_as_long_as_the_federation_says(fed):
    m = Member(fed)
    m.join(token(fed, profile="ns"))
    fed.cli("policy", "set", "ttl.netid", "10m")
    m.run("renew", "--all", "--rekey")
    row = m.pairs()["ns-000013"]
    from_s = time.mktime(time.strptime(row["new_key_from"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert 1100 < from_s - time.time() <= 1200
    other = Member(fed, "unreachable")
    other.join(token(fed, profile="ns"))
    fed.broker.stop()
    done = other.run("renew", "--all", "--rekey", code=10)
    assert "how long a new key has to wait is not known" in done.stderr
    assert other.pairs()["ns-000013"]["new_key_from"] is None
    assert m.run("renew", "--all", code=10).stdout.count("new key from") == 1
