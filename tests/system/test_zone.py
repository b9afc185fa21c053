"""What an administrator does with the zone: import, export, check, devices, networks, join servers, policy, the store."""
import json
import os
import subprocess
import time

import pytest

from fed import BIN, ENV, tool

CHECKZONE = tool("named-checkzone")


@pytest.fixture
def two(fed):
    """Members acme (000013, 00002a) and bolt (00002b); acme has devices …01 and …02 in 000013."""
    fed.cli("member", "add", "acme", "--netid", "000013", "--netid", "00002a", "--endpoint", "192.0.2.10:8005")
    fed.member("bolt", "00002b", "192.0.2.20:8005")
    fed.devices("000013", ["70b3d57ed0000001", "70b3d57ed0000002"])
    return fed


@pytest.fixture(params=["no broker", "broker"])
def state(two, request):
    """The same, with and without a broker that runs: nobody may see a difference."""
    if request.param == "broker":
        two.start_broker()
    return two


def devices(fed, *args):
    return [tuple(line.split()) for line in fed.cli("device", "list", *args).stdout.splitlines()]


def test_import_adds_moves_and_counts(state):
    reply = json.loads(state.cli("zone", "import", "--netid", "00002a", "-", "-o", "json",
                                 stdin="DevEUI,comment\n70-B3-D5-7E-D0-00-00-03,\"a, b\"\n0x70b3d57ed0000001\n"
                                       "70b3d57ed0000003\n").stdout)
    assert (reply["added"], reply["moved"], reply["same"], reply["repeated"], reply["after"]) == (1, 1, 0, 1, 2)
    assert devices(state) == [("70b3d57ed0000001", "00002a"), ("70b3d57ed0000002", "000013"),
                              ("70b3d57ed0000003", "00002a")]


def test_a_device_of_another_member_is_never_taken(state):
    list_file = state.folder / "list.csv"
    list_file.write_text("70b3d57ed0000009\n70b3d57ed0000002\n")
    done = state.cli("zone", "import", "--netid", "00002b", list_file, code=9)
    assert f"{list_file}:2: device 70b3d57ed0000002 belongs to member acme" in done.stderr
    assert len(devices(state)) == 2
    done = state.cli("device", "add", "--netid", "00002b", "70b3d57ed0000002", code=9)
    assert "acme" in done.stderr
    done = state.cli("zone", "import", "--netid", "00002b", list_file, "--keep-going")
    assert "belongs to member acme" in done.stderr
    assert "1 added" in done.stdout and "1 left out" in done.stdout
    assert devices(state, "--netid", "00002b") == [("70b3d57ed0000009", "00002b")]


@pytest.mark.parametrize("text, where", [
    ("70b3d57ed0000009\nnope\n", "stdin:2"),
    ("70b3d57ed0000009.deveui.x. CNAME 000014.netid.x.\n", "stdin:1"),
    ("70b3d57ed0000009 A 192.0.2.1\n$INCLUDE /etc/passwd\n", "stdin:2"),
    ("70b3d57ed0000009 TXT (\n", "stdin:1"),
    ("70b3d57ed0000009\tthe first\n", "stdin:1"),
    ("70b3d57ed0000009 CH A 192.0.2.1\n", "stdin:1"),
    ("some words of a letter\n", "stdin:1"),
    ("70b3d57ed0000009 A 192.0.2.1\nns1 A 192.0.2.300\n", "stdin:2"),
    ("70b3d57ed0000009 A 192.0.2.1\n\nx SRV 1 (\n 2 ; two\n 99999 y )\n", "stdin:3"),
    ("x" * 100000, "stdin:1"),
    ("70b3d57ed0000009\n\0\n", "stdin:2"),
])
def test_a_bad_line_stops_it_with_nothing_imported(two, text, where):
    done = two.cli("zone", "import", "--netid", "000013", "-", stdin=text, code=None)
    assert done.returncode in (9, 65) and where in done.stderr, done
    assert len(devices(two)) == 2


def test_reserved_euis_are_refused(two):
    done = two.cli("zone", "import", "--netid", "000013", "-", code=65,
                   stdin="70b3d57ed0000009\n0000000000000000\nffffffffffffffff\n")
    assert "stdin:2" in done.stderr and "stdin:3" in done.stderr
    assert len(devices(two)) == 2


def test_replace_shows_asks_and_replaces(state):
    text = "70b3d57ed0000002\n70b3d57ed0000005\n"
    done = state.cli("zone", "import", "--netid", "000013", "--replace", "-", stdin=text, code=64)
    assert "+1 -1 =1" in done.stderr and "--yes" in done.stderr
    state.cli("zone", "import", "--netid", "000013", "--replace", "--dry-run", "-", stdin=text)
    assert ("70b3d57ed0000001", "000013") in devices(state)
    state.cli("zone", "import", "--netid", "000013", "--replace", "--yes", "-", stdin=text)
    assert devices(state, "--netid", "000013") == [("70b3d57ed0000002", "000013"), ("70b3d57ed0000005", "000013")]
    # as little as 5 % of a network goes without a question
    state.devices("000013", [f"70b3d57ed00001{i:02x}" for i in range(98)])
    keep = [eui for eui, _ in devices(state, "--netid", "000013")][5:]
    done = state.cli("zone", "import", "--netid", "000013", "--replace", "-", stdin="\n".join(keep))
    assert "5 removed" in done.stdout


def test_master_file_of_the_proof_of_concept(two):
    text = ("$ORIGIN iot-roam.test.\n@ 3600 IN SOA ns1 hostmaster (\n  2026 3600 600\n  604800 60 ) ; one record\n  IN NS ns1\n"
            "ns1 IN A 192.0.2.53\n000013.netid 600 IN A 192.0.2.99\n000013.netid 600 IN AAAA 2001:db8::99\n"
            "5817b1c3eb890bc4.deveui 300 IN CNAME 000013.netid.iot-roam.test.\n"
            "0004A30B001C0530.deveui\t300\tIN\tCNAME\t000013.netid.iot-roam.test.\r\n"
            "note TXT \"a ; b ( c\"\n@ CAA 0 issue \"x\"\n  MX 10 ns1\n_x._tcp 1h SRV 0 5 8005 000013.netid\n")
    two.cli("zone", "import", "--netid", "000013", "-", stdin=text)
    assert ("5817b1c3eb890bc4", "000013") in devices(two) and ("0004a30b001c0530", "000013") in devices(two)
    assert two.json("network", "show", "000013")["endpoints"] == ["192.0.2.10:8005"]
    two.cli("zone", "import", "--netid", "000013", "--records", "-", stdin=text)
    assert two.json("network", "show", "000013")["endpoints"] == ["192.0.2.99:8005", "[2001:db8::99]:8005"]


def test_a_hundred_thousand_devices(state):
    euis = [f"{0x70b3d57ed1000000 + 7 * i:016x}" for i in range(100000)]
    reply = json.loads(state.cli("zone", "import", "--netid", "00002b", "-", "-o", "json", stdin="\n".join(euis)).stdout)
    assert reply["added"] == 100000 and reply["after"] == 100000
    listed = devices(state, "--netid", "00002b")
    assert [eui for eui, _ in listed] == euis
    assert devices(state, "--netid", "00002b", "--from", euis[99999]) == [(euis[99999], "00002b")]
    assert len(devices(state, "--limit", "5000")) == 5000
    state.cli("zone", "check")


def test_an_import_that_dies_with_the_broker_leaves_the_old_set_or_the_new(two):
    """And nothing else: no files, no half counts; single changes made meanwhile are kept."""
    sets = [[f"{0x70b3d57ed2000000 + 5 * i:016x}" for i in range(60000)],
            [f"{0x70b3d57ed2000000 + 7 * i:016x}" for i in range(70000)]]
    files = [two.folder / "a.csv", two.folder / "b.csv"]
    for euis, file in zip(sets, files):
        file.write_text("\n".join(euis) + "\n")
    two.start_broker()
    two.cli("zone", "import", "--netid", "00002b", files[0])
    current, kept = 0, []
    rounds = 40 if os.environ.get("FR_LONG") else 4
    for number in range(rounds):
        importing = subprocess.Popen([str(BIN / "fedroam"), "--state", str(two.state), "zone", "import", "--netid",
                                      "00002b", "--replace", "--yes", str(files[1 - current])], env=ENV,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        eui = f"{number + 1:016x}"
        two.cli("device", "add", "--netid", "00002a", eui)
        kept.append(eui)
        time.sleep(0.15 * number / rounds)
        two.broker.kill()
        importing.communicate(timeout=60)
        two.start_broker()
        count = two.json("network", "show", "00002b")["devices"]
        assert count in (60000, 70000)
        if importing.returncode == 0:
            assert count == len(sets[1 - current])
        current = 0 if count == 60000 else 1
        assert [eui for eui, _ in devices(two, "--netid", "00002b")] == sets[current]
        assert [eui for eui, _ in devices(two, "--netid", "00002a")] == kept
        assert not list(two.state.glob("import-*"))
        two.cli("zone", "check")


def test_devices_one_by_one(state):
    state.cli("device", "add", "--netid", "000013", "70b3d57ed0000003", "70b3d57ed0000004", "--reason", "new")
    shown = state.json("device", "show", "70-b3-d5-7e-d0-00-00-03")
    assert (shown["netid"], shown["member"], shown["answered"]) == ("000013", "acme", True)
    done = state.cli("device", "remove", "70b3d57ed0000003", "70b3d57ed00000ff")
    assert "1 removed, 1 not there" in done.stdout
    state.cli("device", "show", "70b3d57ed0000003", code=7)
    state.cli("device", "remove", "--netid", "00002a", "70b3d57ed0000004", code=9)
    state.cli("device", "add", "--netid", "0000zz", "70b3d57ed0000004", code=64)
    state.cli("device", "add", "--netid", "000013", "70b3", code=64)
    state.cli("device", "add", "--netid", "000099", "70b3d57ed0000004", code=7)
    state.cli("device", "add", "--netid", "000013", "70b3d57ed0000006", "--dry-run")
    state.cli("device", "show", "70b3d57ed0000006", code=7)


def test_networks_join_servers_and_policy(state):
    state.cli("network", "set", "00002b", "--endpoint", "192.0.2.21", "--endpoint", "[2001:db8::21]:443")
    assert state.json("network", "show", "00002b")["endpoints"] == ["192.0.2.21:8005", "[2001:db8::21]:443"]
    for bad in ("0.0.0.0:8005", "host.test:8005", "192.0.2.1:0", "224.0.0.1"):
        assert state.cli("network", "set", "00002b", "--endpoint", bad, code=None).returncode != 0, bad
    state.cli("network", "set", "000099", "--endpoint", "192.0.2.1", code=7)
    state.cli("joineui", "add", "70b3d57ed0000000", "--member", "acme", "--server", "https://192.0.2.11:8006")
    state.cli("joineui", "add", "70b3d57ed0000000", "--member", "bolt", code=9)
    assert state.json("joineui", "list") == [
        {"joineui": "70b3d57ed0000000", "member": "acme", "servers": ["https://192.0.2.11:8006"]}]
    state.cli("joineui", "remove", "70b3d57ed0000000")
    assert state.json("joineui", "list") == []
    state.cli("policy", "set", "ttl.deveui", "30m")
    assert state.json("policy", "show", "ttl.deveui")[0]["value"] == 1800
    assert "did you mean ttl.deveui" in state.cli("policy", "set", "ttl.devuei", "30m", code=7).stderr
    state.cli("policy", "set", "ttl.deveui", "1", code=None)
    assert state.json("policy", "show", "ttl.deveui")[0]["value"] == 1800


def test_the_export_loads_in_bind(two):
    two.cli("joineui", "add", "70b3d57ed0000000/40", "--member", "acme", "--server", "https://192.0.2.11:8006", "--server", "http://js.acme.example")
    two.cli("joineui", "add", "70b3d57ed0000001", "--member", "acme", "--server", "https://192.0.2.12")
    two.cert("ns", member="acme", netid="000013")
    zone = two.folder / "zone"
    zone.write_text(two.cli("zone", "export").stdout)
    done = subprocess.run([CHECKZONE, "-i", "full", two.name, str(zone)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "OK" in done.stdout, done.stdout + done.stderr
    with open(two.folder / "direct", "wb") as direct:  # to a file it is written without a detour
        subprocess.run([str(BIN / "fedroam"), "--state", str(two.state), "zone", "export"], stdout=direct, env=ENV, check=True)
    assert (two.folder / "direct").read_text() == zone.read_text()
    two.cli("member", "suspend", "acme")
    text = two.cli("zone", "export").stdout
    assert "000013" not in text and "00002b" in text


def test_check_and_stats(two):
    assert "0 warnings, 0 damages" in two.cli("zone", "check").stderr
    two.cli("member", "suspend", "acme")
    done = two.cli("zone", "check", "-o", "json", code=2)
    assert json.loads(done.stdout)[0]["level"] == "warning"
    stats = two.json("zone", "stats")
    assert stats["devices"] == 2 and stats["networks"][0] == {"netid": "000013", "member": "acme", "devices": 2}


def test_the_store_is_shown_and_is_not_upgraded_twice(two):
    info = two.json("store", "info")
    assert info["federation"] == two.name and info["members"] == 2 and info["devices"] == 2
    assert "already" in two.cli("store", "upgrade").stdout
    two.run("store", "info", "--state", two.folder / "nowhere", code=7)
    damaged = two.folder / "damaged"
    damaged.mkdir()
    (damaged / "data.mdb").write_bytes(b"garbage " * 5000)
    assert two.run("store", "info", "--state", damaged, code=None).returncode not in (0, 99)
