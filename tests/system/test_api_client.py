"""fedroam … --broker URL: what an operator does with --state, a member does from its own machine by the API."""
import json
import subprocess
import time

import pytest

from fed import BIN, ENV, Federation, wait_until
from nameservers import ZONE, tsig_key

MONTH = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30 * 86400))
DEVICES = [f"70b3d57ed00000{i:02x}" for i in range(1, 6)]


@pytest.fixture(scope="module")
def fed(tmp_path_factory):
    """Members acme and umbra, each with a resolver.yaml whose certificate may publish; a running broker."""
    fed = Federation(tmp_path_factory.mktemp("fed"))
    fed.init()
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.member("umbra", "000014", "127.0.0.2:8005")
    fed.configs, fed.certs = {}, {}
    for name in ("acme", "umbra"):
        cert = fed.certs[name] = fed.cert("doh", member=name)
        fed.cli("cert", "set", cert.serial, "--right", "lookup", "--right", "publish")
        fed.configs[name] = fed.folder / f"{name}.yaml"
        fed.configs[name].write_text(f"federations:\n  - name: {fed.name}\n    broker: {fed.url}\n    addresses: [127.0.0.1]\n"
                                     f"    ca: {cert.root}\n    certificate: {cert.chain}\n    key: {cert.key}\n")
    fed.start_broker()
    yield fed
    fed.stop()


def remote(fed, name, *args, **more):
    return fed.run(*args, "--broker", fed.url, "--config", fed.configs[name], **more)


def test_the_same_command_says_the_same(fed):
    """On the federation's host and on the member's: text and JSON, exit code too."""
    pairs = [(("device", "add", "--netid", "000013", DEVICES[0]), ("device", "remove", DEVICES[0])),
             (("device", "set", "--hidden", "yes", DEVICES[1]), ("device", "set", "--hidden", "no", DEVICES[1])),
             (("device", "release", DEVICES[1], "--to", "umbra", "--until", MONTH),
              ("device", "release", DEVICES[1], "--withdraw")),
             (("visibility", "allow", "--home", "acme", "--visited", "umbra"),
              ("visibility", "deny", "--home", "acme", "--visited", "umbra")),
             (("network", "set", "000013", "--endpoint", "127.0.0.9:8005"),
              ("network", "set", "000013", "--endpoint", "127.0.0.1:8005"))]
    fed.cli("device", "add", "--netid", "000013", DEVICES[1])
    for change, back in pairs:
        for form in ([], ["-o", "json"]):
            outputs = []
            for run in (fed.cli, lambda *args: remote(fed, "acme", *args)):
                outputs.append(run(*change, *form).stdout)
                run(*back)
            if form:
                outputs = [{k: v for k, v in json.loads(text).items() if k != "sequence"} for text in outputs]
            assert outputs[0] == outputs[1], change
    assert remote(fed, "acme", "device", "list").stdout == fed.cli("device", "list", "--netid", "000013").stdout
    assert json.loads(remote(fed, "acme", "-o", "json", "device", "list").stdout) == \
        [row for row in fed.json("device", "list") if row["netid"] == "000013"]


def test_lists_of_what_is_given_offered_and_claimed(fed):
    device, other = "70b3d57ed00000a1", "70b3d57ed00000a2"
    fed.devices("000013", [device, other])
    remote(fed, "acme", "device", "release", device, "--to", "umbra")
    remote(fed, "umbra", "device", "add", "--netid", "000014", other, code=9)
    here = fed.cli("device", "releases").stdout
    for name in ("acme", "umbra"):
        assert remote(fed, name, "device", "releases").stdout == here
        assert json.loads(remote(fed, name, "-o", "json", "device", "releases").stdout) == fed.json("device", "releases")
    assert remote(fed, "acme", "device", "conflicts").stdout == fed.cli("device", "conflicts").stdout
    row, = json.loads(remote(fed, "umbra", "-o", "json", "device", "conflicts").stdout)
    assert (row["deveui"], row["owner"], row["claimant"], row["count"]) == (other, "", "umbra", 1)
    assert "no --member" in remote(fed, "acme", "device", "releases", "--member", "acme", code=64).stderr
    remote(fed, "acme", "device", "remove", device, other)


def test_a_member_asks_for_its_own_zone(fed):
    key = tsig_key(fed.folder)
    remote(fed, "acme", "zone", "primary", "show", code=7)
    fed.cli("zone", "primary", "set", ZONE, "--member", "acme", "--address", "127.0.0.1:9", "--netid", "000013", "--tsig-key", key)
    wait_until(lambda: fed.json("zone", "primary", "show", "acme")[0]["state"] == "failing")
    for form in ([], ["-o", "json"]):
        assert remote(fed, "acme", *form, "zone", "primary", "show").stdout == fed.cli(*form, "zone", "primary", "show", "acme").stdout
    assert "no MEMBER" in remote(fed, "acme", "zone", "primary", "show", "acme", code=64).stderr
    assert "MEMBER" in fed.cli("zone", "primary", "show", code=64).stderr
    assert "1 zone of acme" in remote(fed, "acme", "zone", "primary", "refresh").stdout
    remote(fed, "acme", "zone", "accept", code=9)
    remote(fed, "umbra", "zone", "accept", "--member", "acme", code=5)
    assert f"zone {ZONE} of acme cannot be transferred" in fed.cli("zone", "check", code=2).stdout
    fed.cli("zone", "primary", "remove", "--member", "acme")


def test_a_dry_run_and_a_reason_go_along(fed):
    done = remote(fed, "acme", "device", "add", "--netid", "000013", DEVICES[2], "--dry-run")
    assert "1 added" in done.stdout and "dry run" in done.stderr
    assert DEVICES[2] not in remote(fed, "acme", "device", "list").stdout
    remote(fed, "acme", "device", "add", "--netid", "000013", DEVICES[2], "--reason", "meter 7")
    assert '"meter 7"' in (fed.state / "audit.jsonl").read_text()


def test_a_move_between_two_machines(fed):
    remote(fed, "acme", "device", "add", "--netid", "000013", DEVICES[3])
    remote(fed, "acme", "device", "release", DEVICES[3], "--to", "umbra")
    remote(fed, "umbra", "device", "claim", DEVICES[3], "--netid", "000014")
    assert DEVICES[3] in remote(fed, "umbra", "device", "list").stdout


def test_refusals_say_why(fed):
    refused = remote(fed, "umbra", "device", "remove", DEVICES[1], code=None)
    local = fed.cli("device", "remove", "70b3d57edddddddd", code=0)
    assert refused.returncode != 0 and "umbra has no device" in refused.stderr and local.returncode == 0
    for args, word in ((["device", "add", "--netid", "000014", DEVICES[4]], "000014"),
                       (["visibility", "allow", "--home", "umbra", "--visited", "acme"], "its own devices")):
        assert word in remote(fed, "acme", *args, code=None).stderr
    elsewhere = fed.run("device", "list", "--broker", "https://broker.other.test", "--config", fed.configs["acme"], code=None)
    assert elsewhere.returncode != 0 and "knows no broker" in elsewhere.stderr
    named = [x for option, value in (("ca", fed.certs["acme"].root), ("certificate", fed.certs["acme"].chain),
                                     ("key", fed.certs["acme"].key), ("address", "127.0.0.1")) for x in (f"--{option}", value)]
    assert DEVICES[2] in fed.run("device", "list", "--broker", fed.url, *named).stdout


def count(fed):
    return next(row["devices"] for row in fed.json("network", "list") if row["netid"] == "000013")


def test_a_right_that_is_missing_is_named(fed):
    fed.cli("cert", "set", fed.certs["umbra"].serial, "--right", "lookup")
    refused = remote(fed, "umbra", "device", "add", "--netid", "000014", DEVICES[4], code=5)
    assert "the right publish" in refused.stderr and "--right publish" in refused.stderr
    fed.cli("cert", "set", fed.certs["umbra"].serial, "--right", "lookup", "--right", "publish")


def test_a_batch_goes_on_behind_a_crash(fed):
    """The broker is killed while a batch comes in; the command waits, sends again, and nothing is lost or done twice."""
    before, n = count(fed), 60000
    path = fed.folder / "many.ndjson"
    path.write_text("".join(f'{{"op":"put","eui":"70b3d57e{i:08x}","netid":"000013"}}\n' for i in range(n)))
    command = subprocess.Popen([str(BIN / "fedroam"), "-o", "json", "device", "batch", str(path), "--broker", fed.url, "--config",
                                str(fed.configs["acme"])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV)
    wait_until(lambda: fed.metrics()['fedroam_api_batch_lines_total{federation="fed.test"}'] > 0, 30, "a part")
    fed.broker.kill()
    fed.start_broker()
    out, err = command.communicate(timeout=120)
    assert command.returncode == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["line"] for row in rows] == list(range(1, n + 1))
    assert {row["result"] for row in rows} == {"added"}
    assert count(fed) == before + n
    assert "60000 lines done, 0 refused" in err


def test_a_batch_names_what_is_refused(fed):
    lines = [("put", DEVICES[3], "000013"), ("put", DEVICES[4], "000013"), ("delete", DEVICES[4], "000013")]
    text = "".join(json.dumps(dict(zip(("op", "eui", "netid"), row))) + "\n" for row in lines)
    done = remote(fed, "acme", "device", "batch", "-", stdin=text, code=1)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"line": 1, "status": 409, "result": "taken"}]
    assert "a line is" not in done.stderr
    assert '"op":"put"' in remote(fed, "acme", "device", "batch", "-", stdin="70b3d57ed0000001\n", code=1).stderr
    assert remote(fed, "acme", "device", "batch", fed.folder / "none", code=None).returncode not in (0, 1)
    assert fed.run("device", "batch", "-", code=64).returncode == 64
