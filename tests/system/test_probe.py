"""The broker connects back: POST /probe, `member probe`, the timer and the morning list, against network servers that are as they should
be and such as are not: closed, plain, slow, another's certificate, an expired one, a revoked one. Foreign peers: openssl s_server, curl."""
import contextlib
import datetime
import json
import socket
import subprocess
import threading
import time

import pytest

from fed import ENV, Daemon, Federation, free_port, tool, wait_until

STEPS = ["address", "tcp", "tls", "chain", "name", "http", "key"]


class Servers:
    """Network servers of a member, by openssl s_server -WWW."""

    def __init__(self):
        self.running = []

    def tls(self, cert, *, root):
        port = free_port()
        command = [tool("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-cert", cert.chain, "-cert_chain", cert.chain,
                   "-key", cert.key, "-CAfile", root, "-Verify", "3", "-verify_return_error", "-www", "-quiet"]
        self.running.append(subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL))
        wait_until(lambda: is_open(port), 20, "s_server")
        return port

    def silent(self):
        """Takes connections and says nothing."""
        s = socket.create_server(("127.0.0.1", 0))
        self.running.append(s)
        return s.getsockname()[1]

    def plain(self):
        """Answers whoever comes with HTTP that was not asked for, and a redirect in it."""
        s = socket.create_server(("127.0.0.1", 0))
        self.running.append(s)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    c, _ = s.accept()
                    with c:
                        c.recv(4096)
                        c.sendall(b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        threading.Thread(target=serve, daemon=True).start()
        return s.getsockname()[1]

    def stop(self):
        for r in self.running:
            if isinstance(r, subprocess.Popen):
                r.kill()
                r.wait()
            else:
                r.close()
        self.running = []


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture(scope="module")
def fed(tmp_path_factory):
    f = Federation(tmp_path_factory.mktemp("fed"))
    f.init()
    f.member("acme", "000013")
    f.member("umbra", "000014", "10.1.2.3:8005", "169.254.169.254:80")
    f.cli("policy", "set", "probe.private", "allowed")
    f.doh = f.cert("doh", member="acme")
    f.ns = f.cert("ns", member="acme", netid="000013")
    f.umbra_ns = f.cert("ns", member="umbra", netid="000014")
    f.start_broker()
    yield f
    f.stop()


@pytest.fixture
def servers():
    s = Servers()
    yield s
    s.stop()


def endpoints(fed, *ports, netid="000013"):
    fed.cli("network", "set", netid, *[a for p in ports for a in ("--endpoint", f"127.0.0.1:{p}")])


def probe(fed, member="acme"):
    return json.loads(fed.cli("-o", "json", "member", "probe", member, code=None).stdout)["probes"][0]


def wrong(found):
    """Its one endpoint's wrong step: what was before is right, what is behind was not tried."""
    (end,) = found["endpoints"]
    states = [s["state"] for s in end["steps"]]
    assert [s["step"] for s in end["steps"]] == STEPS
    if end["result"] == "right":
        assert states == ["right"] * len(STEPS)
        return None
    at = states.index("wrong")
    assert states == ["right"] * at + ["wrong"] + ["untried"] * (len(STEPS) - at - 1)
    step = end["steps"][at]
    assert step["seen"] and step["todo"]
    return step


def test_a_member_has_its_network_server_connected_to(fed, servers):
    port = servers.tls(fed.ns, root=fed.root)
    endpoints(fed, port)
    status, headers, body = fed.curl("-X", "POST", cert=fed.doh, path="/api/v1/probe")
    assert status == 200 and headers["content-type"] == "application/json", body
    found = json.loads(body)
    assert found["member"] == "acme" and found["result"] == "right" and wrong(found) is None
    assert found["endpoints"][0]["endpoint"] == f"127.0.0.1:{port}"
    assert found["endpoints"][0]["name"] == "000013.netid.fed.test" and 0 <= found["endpoints"][0]["ms"] < 8000

    # Nothing but what is registered: no body, no parameter.
    for args, path in ((["-d", '{"endpoint":"127.0.0.1:1"}'], "/api/v1/probe"), (["-X", "POST"], "/api/v1/probe?endpoint=127.0.0.1:1")):
        status, _, _ = fed.curl(*args, cert=fed.doh, path=path)
        assert status == 400


def test_what_is_wrong_is_said_step_by_step(fed, servers):
    other = fed.cert("ns", member="acme", netid="000013", folder=fed.folder / "revoked")
    stranger = Federation(fed.folder / "elsewhere", name="fed.test")
    stranger.folder.mkdir()
    stranger.init()
    stranger.member("acme", "000013")
    foreign = stranger.cert("ns", member="acme", netid="000013", folder=stranger.folder / "c")
    cases = [
        (free_port(), "tcp", "refused"),
        (servers.plain(), "tls", ""),
        (servers.tls(foreign, root=stranger.root), "chain", "not trusted"),
        (servers.tls(fed.umbra_ns, root=fed.root), "name", "not for the name 000013.netid.fed.test"),
        (servers.tls(fed.ns, root=stranger.root), "http", "refuses the broker's certificate"),
        (servers.tls(other, root=fed.root), "key", "not published"),
    ]
    fed.cli("cert", "revoke", other.serial, "--yes")
    endpoints(fed, *[port for port, _, _ in cases])
    found = probe(fed)
    assert found["result"] == "wrong" and len(found["endpoints"]) == len(cases)
    for (_, step, seen), end in zip(cases, found["endpoints"]):
        said = wrong({"endpoints": [end]})
        assert said and said["step"] == step and seen in said["seen"], end


def test_an_expired_certificate_is_the_chains_fault(fed, servers):
    fed.cli("policy", "set", "lifetime.ns", "1h")
    short = fed.cert("ns", member="acme", netid="000013", folder=fed.folder / "short")
    fed.cli("policy", "set", "lifetime.ns", "30d")
    # The broker cannot be moved in time here: another one, two hours on, looks at the same state.
    port = servers.tls(short, root=fed.root)
    endpoints(fed, port)
    assert wrong(probe(fed)) is None
    fed.broker.stop()
    fed.broker = None
    preload = subprocess.run([tool("faketime"), "now", "sh", "-c", "echo $LD_PRELOAD"], capture_output=True, text=True,
                             check=True).stdout.strip()
    asan = ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    late = Daemon("fedroam-broker", ["--config", fed.config], fed.folder / "late.log",
                  dict(ENV, LD_PRELOAD=preload, FAKETIME="+2h", FAKETIME_DONT_FAKE_MONOTONIC="1", ASAN_OPTIONS=asan))
    try:
        wait_until(lambda: fed.curl_plain("/readyz").stdout.endswith("200"), 30, "the broker two hours on")
        said = wrong(probe(fed))
        assert said["step"] == "chain" and "expired" in said["seen"], said
    finally:
        late.stop()
        fed.start_broker()


def test_a_slow_one_holds_up_nobody(fed, servers):
    good = servers.tls(fed.umbra_ns, root=fed.root)
    endpoints(fed, servers.silent())
    endpoints(fed, good, netid="000014")
    done = {}
    slow = threading.Thread(target=lambda: done.update(slow=probe(fed)))
    slow.start()
    assert wrong(probe(fed, "umbra")) is None
    assert slow.is_alive() or wrong(done["slow"])["step"] == "tls"
    assert fed.query("000014.netid.fed.test", "A", fed.doh).answer
    slow.join(30)
    assert wrong(done["slow"])["step"] == "tls" and "within" in wrong(done["slow"])["seen"]


def test_private_addresses_are_for_the_operator_to_allow(fed, servers):
    endpoints(fed, servers.tls(fed.ns, root=fed.root))
    fed.cli("policy", "set", "probe.private", "refused")
    try:
        status, _, body = fed.curl("-X", "POST", cert=fed.doh, path="/api/v1/probe")
        assert status == 200
        said = wrong(json.loads(body))
        assert said["step"] == "address" and "private" in said["seen"] and "probe.private allowed" in said["todo"]
        fed.cli("network", "set", "000014", "--endpoint", "10.1.2.3:8005", "--endpoint", "169.254.169.254:80")
        assert [wrong({"endpoints": [e]})["step"] for e in probe(fed, "umbra")["endpoints"]] == ["address", "address"]
    finally:
        fed.cli("policy", "set", "probe.private", "allowed")
    assert wrong({"endpoints": probe(fed, "umbra")["endpoints"][1:]})["step"] == "address"  # of the link: never


def test_a_member_asks_six_times_a_minute_and_only_for_itself(fed):
    fed.member("greedy", "000021", f"127.0.0.1:{free_port()}")
    cert = fed.cert("doh", member="greedy")
    said = [fed.curl("-X", "POST", cert=cert, path="/api/v1/probe") for _ in range(7)]
    assert [s for s, _, _ in said] == [200] * 6 + [429]
    assert 1 <= int(said[-1][1]["retry-after"]) <= 60 and json.loads(said[-1][2])["detail"]
    assert all(json.loads(b)["member"] == "greedy" for _, _, b in said[:6])
    assert fed.curl("-d", '{"args":{}}', "-H", "content-type: application/json", cert=cert,
                    path="/api/v1/operations/member.probe")[0] in (403, 404)


def test_the_timer_and_the_morning_list(fed, servers):
    fed.devices("000013", ["70b3d57ed0000001"])
    endpoints(fed, servers.tls(fed.ns, root=fed.root))
    fed.query("70b3d57ed0000001.deveui.fed.test", "CNAME", fed.doh)
    fed.cli("policy", "set", "probe.every", "2s")
    try:
        rows = lambda: {m["id"]: m for m in fed.json("member", "list")}
        start = datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
        row = wait_until(lambda: (lambda r: (r["last_probe"] or "") > start and r)(rows()["acme"]), 60, "a probe by the timer")
    finally:
        fed.cli("policy", "set", "probe.every", "0")
    assert row["probe"] == "right" and row["state"] == "active" and row["netids"] == ["000013"] and row["devices"] == 1
    assert row["last_lookup"] and row["last_publish"] and row["next_expiry"] and row["refused_24h"] == 0
    # The same as metrics, and as CSV.
    metrics = fed.metrics()
    label = '{federation="fed.test",member="acme"}'
    assert metrics["fedroam_member_probe_wrong_endpoints" + label] == 0 and metrics["fedroam_member_devices" + label] == 1
    for name in ("last_lookup", "last_publish", "next_expiry", "probe"):
        assert metrics[f"fedroam_member_{name}_timestamp_seconds" + label] > time.time() - 86400
    lines = fed.cli("member", "list", "-o", "csv").stdout.splitlines()
    assert "last_probe" in lines[0] and len(lines) == 1 + len(rows())

    # Refused requests are counted for a day.
    spent = fed.cert("doh", member="umbra", folder=fed.folder / "spent")
    fed.cli("cert", "revoke", spent.serial, "--yes")
    assert fed.query_raw("000013.netid.fed.test", "A", spent)[0] == 403
    assert rows()["umbra"]["refused_24h"] >= 1


def test_why_for_a_member_tells_its_budget_and_last_lookups(fed):
    fed.devices("000013", ["70b3d57ed0000001"])
    fed.query("70b3d57ed0000001.deveui.fed.test", "CNAME", fed.doh)
    said = fed.cli("why", "70b3d57ed0000001", "--for", "acme", "-o", "json", code=None)
    steps = {s["step"]: s for s in json.loads(said.stdout)["steps"]}
    assert steps["budget"]["state"] == "right" and "unknown" in steps["budget"]["seen"]
    assert "found in 000013" in steps["lookups"]["seen"]
    fed.query("70b3d57ed00000ff.deveui.fed.test", "CNAME", fed.doh)
    said = fed.cli("why", "70b3d57ed00000ff", "--for", "acme", "-o", "json", code=7)
    steps = {s["step"]: s for s in json.loads(said.stdout)["steps"]}
    assert "none" in steps["lookups"]["seen"] and steps["device"]["state"] == "wrong"


def test_without_a_broker_the_list_has_what_the_store_knows(tmp_path):
    f = Federation(tmp_path)
    f.init()
    f.member("acme", "000013", "127.0.0.1:8005")
    (row,) = f.json("member", "list")
    assert row["id"] == "acme" and row["last_lookup"] is None and row["last_probe"] is None
    done = f.cli("member", "probe", "acme", code=69)
    assert "no broker runs" in done.stderr
