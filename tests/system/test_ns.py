"""fedroam-ns: joins at home and through a visited network, over a real broker, with a gateway and a device that share no code
with the product; and what it answers to curl."""
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

import pytest

from fed import BIN, ENV, Federation, free_port, wait_until
from https_server import Server

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from gateway_player import Device, Gateway, join  # noqa: E402

APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
NWK_KEY = "000102030405060708090a0b0c0d0e0f"
JOIN_EUI = "70b3d57ed0000100"
SILENCE = 1.5  # seconds without a downlink that count as none: an answer comes within 0.3 s


class Ns:
    """One fedroam-ns: its files, process, log."""

    def __init__(self, fed, name, netid, cert):
        self.fed, self.name, self.netid, self.cert = fed, name, netid, cert
        self.folder = fed.folder / f"ns-{name}"
        self.folder.mkdir()
        self.udp = free_port(socket.SOCK_DGRAM)
        self.port = free_port()
        self.admin = free_port()
        self.config = self.folder / "ns.yaml"
        self.devices = self.folder / "devices.yaml"
        self.log = self.folder / "log"
        self.process = None
        self.seen = 0
        self.set_devices([])

    def set_devices(self, devices):
        self.devices.touch(mode=0o600)
        lines = ["devices:" if devices else "devices: []"]
        lines += [f"  - {json.dumps(d)}" for d in devices]
        self.devices.write_text("\n".join(lines) + "\n")

    def configure(self, forwarding=False, more="", roles=None):
        roles = roles or f"{{forwarding: {str(forwarding).lower()}, home: true, join_server: true}}"
        self.config.write_text(f"""\
netid: "{self.netid}"
roles: {roles}
federations:
  - name: {self.fed.name}
    broker: {self.fed.url}
    addresses: [127.0.0.1]
    ca: {self.cert.root}
    certificate: {self.cert.chain}
    key: {self.cert.key}
gateways: {{address: 127.0.0.1, port: {self.udp}}}
backend: {{address: 127.0.0.1, port: {self.port}}}
admin: {{address: 127.0.0.1, port: {self.admin}}}
devices: {self.devices}
state: {self.folder / "state"}
map_size: 1GiB
log: {{format: json, identifiers: full, level: debug}}
{more}
""")
        return self

    def start(self):
        self.process = self.fed.daemon("fedroam-ns", "--config", self.config, log=self.log)
        wait_until(self.is_ready, 20, f"{self.name} to be ready")
        return self

    def is_ready(self):
        assert self.process.is_running(), self.process.text()
        try:
            return self.get("/readyz").strip() == "ready"
        except OSError:
            return False

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=5) as r:
            return r.read().decode()

    def reload(self, **config):
        self.configure(**config)
        self.mark()
        self.process.signal(signal.SIGHUP)
        self.wait("ns.reloaded")

    def stop(self):
        self.fed.daemons.remove(self.process)
        assert self.process.stop() == 0

    def kill(self):
        self.fed.daemons.remove(self.process)
        self.process.kill()

    def metric(self, name):
        for line in self.get("/metrics").splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise AssertionError(f"no metric {name}")

    def exchanges(self):
        return self.metric('fedroam_ns_upstream_requests_total{upstream="broker"}')

    def requests(self):
        return self.metric('fedroam_ns_upstream_requests_total{upstream="peer"}')

    def mark(self):
        """What is in the log up to now is the past."""
        self.seen = len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def events(self, name=None):
        records = [json.loads(line) for line in self.log.read_text().splitlines()[self.seen:] if line.startswith("{")]
        return [r for r in records if name in (None, r["event"])]

    def wait(self, event, seconds=10):
        return wait_until(lambda: self.events(event), seconds, f"{event} in the log of {self.name}")[-1]

    def gateway(self, eui="0016c001ff100001", **more):
        return Gateway(eui, ("127.0.0.1", self.udp), **more)

    def curl(self, body, cert, *more, headers=("content-type: application/json",), path="/", name=None):
        """POSTs to the peers' port; (status, body)."""
        host = name or f"{self.netid}.netid.{self.fed.name}"
        command = ["curl", "-sS", "--max-time", "10", "--cacert", str(self.fed.root), "-w", "\n%{http_code}",
                   "--resolve", f"{host}:{self.port}:127.0.0.1"]
        if cert:
            command += ["--cert", str(cert.chain), "--key", str(cert.key)]
        for h in headers:
            command += ["-H", h]
        if body is not None:
            command += ["--data-binary", "@-"]
        command += [*more, f"https://{host}:{self.port}{path}"]
        done = subprocess.run(command, input=(body or "").encode(), capture_output=True, check=False)
        text, _, status = done.stdout.decode().rpartition("\n")
        return int(status or 0), text


def message(kind, sender="000014", receiver="000013", tid=7, **members):
    body = {"ProtocolVersion": "1.0", "SenderID": sender, "ReceiverID": receiver, "TransactionID": tid, "MessageType": kind}
    body.update(members)
    return body


def pr_start(phy, dev_eui, **members):
    ul = {"DevEUI": dev_eui, "DataRate": 5, "ULFreq": 868.1, "RecvTime": "2026-01-01T00:00:00Z", "RFRegion": "EU868",
          "GWCnt": 1, "GWInfo": [{"ID": "01020304", "RSSI": -60, "SNR": 5.5, "ULToken": "c0ffee", "DLAllowed": True}],
          "FNSULToken": "beef"}
    return message("PRStartReq", PHYPayload=phy.hex(), ULMetaData=ul, **members)


DEVICES = [
    {"deveui": "70b3d57ed0000001", "joineui": JOIN_EUI, "app_key": APP_KEY},
    {"deveui": "70b3d57ed0000002", "joineui": JOIN_EUI, "app_key": APP_KEY, "nwk_key": NWK_KEY, "lorawan": "1.1"},
    {"deveui": "70b3d57ed0000003", "joineui": JOIN_EUI, "app_key": APP_KEY},
    {"deveui": "70b3d57ed0000004", "joineui": JOIN_EUI, "app_key": APP_KEY, "roaming": False},
    {"deveui": "70b3d57ed0000005", "joineui": JOIN_EUI, "app_key": APP_KEY},
    {"deveui": "70b3d57ed0000006", "joineui": JOIN_EUI, "app_key": APP_KEY},
    {"deveui": "70b3d57ed0000007", "joineui": JOIN_EUI, "app_key": APP_KEY},
    {"deveui": "70b3d57ed0000008", "joineui": JOIN_EUI, "app_key": APP_KEY},
    {"deveui": "70b3d57ed0000009", "joineui": JOIN_EUI, "app_key": APP_KEY},
    {"deveui": "70b3d57ed000000a", "joineui": JOIN_EUI, "app_key": APP_KEY, "nwk_key": NWK_KEY, "lorawan": "1.1"},
]
DEVICES_BY_EUI = {d["deveui"]: d for d in DEVICES}
LOST = "70b3d57ed00000ff"  # of a network whose server does not run


PLAYED = {}


def device(eui):
    """The same device in every test: its DevNonce and JoinNonce only ever count up, as in the field."""
    if eui not in PLAYED:
        d = DEVICES_BY_EUI[eui]
        PLAYED[eui] = Device(eui, d["joineui"], d["app_key"], d.get("nwk_key"), nonce=0)
    return PLAYED[eui]


class Net:
    """Broker, the home network acme (000013), the visited network umbra (000014), and lost (000015) without a server."""

    def __init__(self, folder):
        self.fed = fed = Federation(folder)
        fed.init()
        ports = {"acme": "000013", "umbra": "000014", "lost": "000015"}
        for member, netid in ports.items():
            fed.member(member, netid, "127.0.0.1:1")
        self.home = Ns(fed, "home", "000013", fed.cert("ns", member="acme", netid="000013", folder=fed.folder / "h"))
        self.visited = Ns(fed, "visited", "000014", fed.cert("ns", member="umbra", netid="000014", folder=fed.folder / "v"))
        fed.cli("network", "set", "000013", "--endpoint", f"127.0.0.1:{self.home.port}")
        fed.cli("network", "set", "000014", "--endpoint", f"127.0.0.1:{self.visited.port}")
        fed.cli("network", "set", "000015", "--endpoint", f"127.0.0.1:{free_port()}")
        fed.devices("000013", [d["deveui"] for d in DEVICES])
        fed.devices("000015", [LOST])
        fed.start_broker()
        self.home.set_devices(DEVICES)
        self.home.configure().start()
        self.visited.configure(forwarding=True).start()

    def broker_queries(self):
        return sum(v for k, v in self.fed.metrics().items() if k.startswith("fedroam_doh_requests_total"))


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    world = Net(tmp_path_factory.mktemp("ns"))
    yield world
    world.fed.stop()


@pytest.fixture(autouse=True)
def marks(request):
    if "net" in request.fixturenames:
        world = request.getfixturevalue("net")
        world.home.mark()
        world.visited.mark()


def test_a_join_at_home_asks_nobody(net):
    before, queries = net.home.exchanges(), net.broker_queries()
    with net.home.gateway() as gw:
        dev = device("70b3d57ed0000001")
        session = join(gw, dev)
        again = join(gw, dev)
    assert session.window == "RX1" and session.net_id == "000013"
    assert int(session.dev_addr, 16) >> 25 == 0x13  # the NetID's own addresses
    assert again.join_nonce == session.join_nonce + 1
    assert again.dev_addr != session.dev_addr
    assert net.home.exchanges() == before and net.broker_queries() == queries
    assert net.home.events("join.done")[-1]["roaming"] is False


def test_a_1_1_join_at_home(net):
    with net.home.gateway() as gw:
        session = join(gw, device("70b3d57ed0000002"), freq=868.5, datr="SF12BW125")
        down = gw.downlinks.queue
        assert session.window == "RX1" and session.dl_settings & 0x80
        assert not down


@pytest.mark.parametrize("eui", ["70b3d57ed0000001", "70b3d57ed0000002"])
def test_a_visiting_device_joins(net, eui):
    before = net.visited.exchanges()
    dev = device(eui)
    with net.visited.gateway() as gw:
        session = join(gw, dev, freq=868.3, datr="SF9BW125")
        asked = net.visited.exchanges()
        again = join(gw, dev)
    assert session.window == "RX1" and session.net_id == "000013"
    assert session.ms < 2000
    assert asked == before + 1  # one exchange with the broker tells everything
    assert net.visited.exchanges() == asked  # and serves the next join, too
    assert again.join_nonce > session.join_nonce
    done = net.visited.events("join.done")
    assert len(done) == 2 and all(d["roaming"] for d in done)
    assert net.visited.metric("fedroam_ns_visitors") >= 1
    # the two sides tell the same story
    tids = [r["tid"] for r in net.visited.events("join.request")]
    assert [r["tid"] for r in net.home.events("join.prstart")] == tids
    joins = [r["join"] for r in net.visited.events("join.request")]
    assert [r["join"] for r in net.home.events("join.prstart")] == joins and len(set(joins)) == 2
    assert {r["join"] for r in net.home.events() if "join" in r} == set(joins)
    assert [r["connected"] for r in net.visited.events("join.answer")][-1] is False  # kept connection
    for record in net.visited.events() + net.home.events():  # root keys never reach a log
        assert APP_KEY not in json.dumps(record) and NWK_KEY not in json.dumps(record)


def test_the_keys_are_the_device_s(net):
    """PRStartAns carries the session key that the device derives from the Join-accept, and nothing of the application."""
    dev = device("70b3d57ed0000003")
    status, text = net.home.curl(json.dumps(pr_start(dev.join_request(), "70b3d57ed0000003")), net.visited.cert)
    assert status == 200
    answer = json.loads(text)
    assert answer["Result"]["ResultCode"] == "Success", text
    session = dev.accept(bytes.fromhex(answer["PHYPayload"]))
    assert answer["NwkSKey"]["AESKey"] == session.keys["NwkSKey"]
    assert session.keys["AppSKey"] not in text
    assert answer["DevAddr"] == session.dev_addr and answer["DevEUI"] == "70b3d57ed0000003"
    assert (answer["SenderID"], answer["ReceiverID"], answer["TransactionID"]) == ("000013", "000014", 7)
    assert answer["Lifetime"] > 0 and answer["FCntUp"] == 0
    dl = answer["DLMetaData"]
    assert (dl["ClassMode"], dl["RXDelay1"], dl["DLFreq1"], dl["DataRate1"], dl["DLFreq2"], dl["DataRate2"]) == \
        ("A", 5, 868.1, 5, 869.525, 0)
    assert dl["GWInfo"] == [{"ULToken": "c0ffee"}] and dl["FNSULToken"] == "beef"


def test_with_forwarding_off_nobody_is_asked(net):
    exchanges, requests, queries = net.visited.exchanges(), net.visited.requests(), net.broker_queries()
    net.visited.reload(forwarding=False)
    try:
        with net.visited.gateway() as gw:
            assert join(gw, device("70b3d57ed0000001"), timeout=SILENCE) is None
        ignored = net.visited.events("join.ignored")
        assert len(ignored) == 1 and ignored[0]["deveui"] == "70b3d57ed0000001"
        assert (net.visited.exchanges(), net.visited.requests()) == (exchanges, requests)
        assert net.broker_queries() == queries
    finally:
        net.visited.reload(forwarding=True)


def test_a_device_that_nobody_knows(net):
    with net.visited.gateway() as gw:
        dev = Device("70b3d57ed0000eee", JOIN_EUI, APP_KEY)
        assert join(gw, dev, timeout=SILENCE) is None
        assert net.visited.wait("join.failed")["why"] == "no federation knows the device"
        exchanges = net.visited.exchanges()
        net.visited.mark()
        assert join(gw, dev, timeout=SILENCE) is None
        assert net.visited.exchanges() == exchanges  # also a no is remembered
    assert net.visited.events("join.resolve")[-1]["result"] == "unknown"


def test_a_replay_is_refused(net):
    dev = device("70b3d57ed0000005")
    phy = dev.join_request()
    with net.visited.gateway() as gw:
        assert join(gw, dev, phy=phy) is not None
        time.sleep(1.3)  # the gateway side forgets a frame after a second: this is not a late copy
        assert join(gw, dev, phy=phy, timeout=SILENCE) is None
    answer = net.visited.wait("join.answer")
    assert answer["result"] == "JoinReqFailed" and "DevNonce" in answer["why"]
    assert net.home.events("join.joinans")[-1]["result"] == "JoinReqFailed"


def test_a_wrong_mic_is_refused_and_costs_nothing(net):
    dev = device("70b3d57ed0000006")
    with net.visited.gateway() as gw:
        bad = dev.join_request(bad_mic=True)
        assert join(gw, dev, phy=bad, timeout=SILENCE) is None
        assert net.visited.wait("join.answer")["result"] == "MICFailed"
        assert join(gw, dev, phy=dev.join_request(dev.used)) is not None  # the DevNonce was not used up


def test_a_device_that_may_not_roam(net):
    with net.visited.gateway() as gw:
        assert join(gw, device("70b3d57ed0000004"), timeout=SILENCE) is None
        assert net.visited.wait("join.answer")["result"] == "RoamingActDisallowed"


@pytest.mark.parametrize("error", ["TOO_LATE", "COLLISION_PACKET"])
def test_the_second_window_takes_over(net, error):
    with net.visited.gateway() as gw:
        gw.answers = [error]
        session = join(gw, device("70b3d57ed0000007"))
    assert session.window == "RX2"
    downs = net.visited.events("join.downlink")
    assert [(d["window"], d["freq"], d["dr"]) for d in downs] == [("RX1", 868100000, 5), ("RX2", 869525000, 0)]
    assert [t["answer"] for t in net.visited.wait("join.done") and net.visited.events("join.tx_ack")] == [error, "NONE"]


def test_both_windows_refused(net):
    with net.visited.gateway() as gw:
        gw.answers = ["TX_FREQ", "TX_POWER"]
        assert join(gw, device("70b3d57ed0000007"), timeout=SILENCE) is None
    assert "refused" in net.visited.wait("join.failed")["why"]


def test_copies_of_two_gateways_are_one_join(net):
    dev = device("70b3d57ed0000008")
    phy = dev.join_request()
    requests = net.visited.requests()
    with net.visited.gateway("0016c001ff100001") as far, net.visited.gateway("0016c001ff100002") as near:
        far.push(phy, rssi=-110, snr=-5.0)
        near.push(phy, rssi=-60, snr=8.5)
        far.push(phy, rssi=-110, snr=-5.0)
        down = near.next_downlink(5)
        assert down is not None and dev.accept(down.phy).net_id == "000013"
        assert far.next_downlink(0.5) is None
    assert net.visited.requests() == requests + 1
    collected = net.visited.events("join.collected")
    assert len(collected) == 1 and collected[0]["gateways"] == 2 and collected[0]["best"] == "0016c001ff100002"


def test_a_gateway_without_downlink_path_is_not_chosen(net):
    """The best receiver never sent PULL_DATA: the other one sends."""
    dev = device("70b3d57ed0000008")
    phy = dev.join_request()
    deaf = net.visited.gateway("0016c001ff10dead")
    with net.visited.gateway("0016c001ff100001") as gw:
        deaf.push(phy, rssi=-40, snr=10.0)
        gw.push(phy, rssi=-110, snr=-5.0)
        assert gw.next_downlink(5) is not None
    deaf.close()


def test_a_home_that_is_down(net):
    with net.visited.gateway() as gw:
        assert join(gw, Device(LOST, JOIN_EUI, APP_KEY), timeout=SILENCE) is None
    failed = net.visited.wait("join.failed")
    assert failed["why"] == "the home network did not answer"
    answer = net.visited.events("join.answer")[-1]
    assert answer["status"] == 0 and "refused" in answer["why"]


def test_rules_of_the_home(net):
    deny = 'roaming: {peers: [{netid: "000014", roaming: deny}]}'
    net.home.reload(more=deny)
    try:
        with net.visited.gateway() as gw:
            assert join(gw, device("70b3d57ed0000001"), timeout=SILENCE) is None
            assert net.visited.wait("join.answer")["result"] == "NoRoamingAgreement"
    finally:
        net.home.reload()


def test_rules_of_the_visited_network(net):
    net.visited.reload(forwarding=True, more="roaming: {default: deny}")
    requests = net.visited.requests()
    try:
        with net.visited.gateway() as gw:
            assert join(gw, device("70b3d57ed0000001"), timeout=SILENCE) is None
        assert "rules" in net.visited.wait("join.failed")["why"]
        assert net.visited.requests() == requests
    finally:
        net.visited.reload(forwarding=True)


def test_answers_as_requests_of_their_own(net):
    net.home.reload(more='roaming: {peers: [{netid: "000014", answers: async}]}')
    net.visited.reload(forwarding=True, more='roaming: {peers: [{netid: "000013", answers: async}]}')
    try:
        with net.visited.gateway() as gw:
            session = join(gw, device("70b3d57ed0000001"))
        assert session is not None and session.window == "RX1"
        assert net.home.events("peer.answered")[-1]["async"] is True
        # one side alone: said clearly, and nothing hangs
        net.visited.reload(forwarding=True)
        with net.visited.gateway() as gw:
            assert join(gw, device("70b3d57ed0000001"), timeout=SILENCE) is None
        assert "asynchronously" in net.visited.wait("join.answer")["why"]
        net.visited.wait("peer.stray_answer")
    finally:
        net.home.reload()
        net.visited.reload(forwarding=True)


def test_an_answer_that_nobody_waits_for(net):
    body = message("PRStartAns", sender="000013", receiver="000014", Result={"ResultCode": "Success"})
    status, text = net.visited.curl(json.dumps(body), net.home.cert)
    assert (status, text) == (200, "")
    assert net.visited.wait("peer.stray_answer")["tid"] == 7


def test_http_rules(net):
    good = json.dumps(message("PRStopReq", DevEUI="70b3d57ed0000001"))
    cert = net.visited.cert
    assert net.home.curl(good, cert)[0] == 200
    assert net.home.curl(good, cert, path="/sns")[0] == 200
    assert net.home.curl(good, cert, headers=("content-type: application/json; charset=utf-8",))[0] == 200
    assert net.home.curl(None, cert)[0] == 405
    assert net.home.curl(good, cert, "-X", "PUT")[0] == 405
    assert net.home.curl(good, cert, headers=("content-type: text/plain",))[0] == 415
    assert net.home.curl(" " * 20000, cert)[0] == 413
    assert net.home.curl("nonsense", cert)[0] == 400
    assert net.home.curl("[]", cert)[0] == 400
    assert net.home.curl("", cert)[0] == 400


@pytest.mark.parametrize("change, status, code", [
    ({"SenderID": "000013"}, 403, "UnknownSender"),
    ({"SenderID": "000015"}, 403, "UnknownSender"),
    ({"SenderID": "as.example.org"}, 403, "UnknownSender"),
    ({"ReceiverID": "000015"}, 200, "UnknownReceiver"),
    ({"ReceiverID": "000015", "SenderID": "000015"}, 200, "UnknownReceiver"),
    ({"ReceiverID": JOIN_EUI}, 200, "UnknownReceiver"),
    ({"ProtocolVersion": "2.0", "ReceiverID": "000015"}, 200, "InvalidProtocolVersion"),
    ({"MessageType": "FooReq"}, 200, "MalformedRequest"),
    ({"MessageType": "ProfileReq"}, 200, "MalformedRequest"),
    ({"TransactionID": 4294967295}, 200, "Success"),
    ({"TransactionID": 7.0}, 400, None),
    ({"ReceiverID": None}, 400, "MalformedRequest"),
    ({"PHYPayload": "00"}, 200, "FrameSizeError"),
    ({"PHYPayload": "0"}, 200, "MalformedRequest"),
    ({"PHYPayload": None}, 200, "MalformedRequest"),
    ({"ULMetaData": {}}, 200, "MalformedRequest"),
    ({"MessageType": "PRStopReq", "DevEUI": "70b3d57ed0000fff"}, 200, "UnknownDevEUI"),
    ({"MessageType": "XmitDataReq", "ULMetaData": None}, 200, "UnknownDevAddr"),
    ({"SenderToken": "c0de", "VSExtension": {}, "Unknown": [1]}, 200, "Success"),
])
def test_envelope_rules(net, change, status, code):
    dev = device("70b3d57ed0000003")
    body = pr_start(dev.join_request(), "70b3d57ed0000003")
    body.update(change)
    got, text = net.home.curl(json.dumps(body), net.visited.cert)
    assert got == status, text
    if code is None:
        assert text == ""
        return
    answer = json.loads(text)
    assert answer["Result"]["ResultCode"] == code
    assert answer["MessageType"] == body["MessageType"][:-3] + "Ans"
    if "SenderToken" in change:
        assert answer["ReceiverToken"] == "c0de"


def test_an_unknown_device_of_ours(net):
    dev = Device("70b3d57ed0000eee", JOIN_EUI, APP_KEY)
    status, text = net.home.curl(json.dumps(pr_start(dev.join_request(), "70b3d57ed0000eee")), net.visited.cert)
    assert status == 200 and json.loads(text)["Result"]["ResultCode"] == "UnknownDevEUI"


def test_home_ns_req(net):
    ask = message("HomeNSReq", receiver=JOIN_EUI, DevEUI="70b3d57ed0000001")
    status, text = net.home.curl(json.dumps(ask), net.visited.cert)
    assert status == 200 and json.loads(text)["HNetID"] == "000013"
    assert json.loads(text)["SenderID"] == JOIN_EUI


def test_without_a_certificate_there_is_no_connection(net):
    assert net.home.curl("{}", None)[0] == 0
    assert net.home.wait("peer.handshake_refused")["why"]
    assert net.home.curl("{}", net.visited.cert, name="000013.netid.other.test")[0] == 0  # an unknown server name


def test_hostile_bytes_stop_nothing(net):
    gw = net.visited.gateway()
    datagrams = [b"", b"\x02", b"\x02\x00\x00\x00", b"\x02\x00\x00\x00" + gw.eui, b"\xff" * 2000,
                 b"\x02\x00\x00\x00" + gw.eui + b"{" * 1500, b"\x02\x00\x00\x05" + gw.eui + b"[]",
                 b"\x02\x00\x00\x00" + gw.eui + b'{"rxpk":[{"tmst":1,"freq":868.1,"datr":"SF7BW125","size":23,"data":"A"}]}',
                 b"\x02\x00\x00\x00" + gw.eui + b'{"rxpk":' + b"[" * 1000 + b"]" * 1000 + b"}"]
    for d in datagrams:
        gw.raw(d)
    for body in ["{" * 16000, '{"a":' * 3000, "\0" * 100, '"', '{"ProtocolVersion":"1.0"' + ',"x":1' * 2000 + "}"]:
        assert net.visited.curl(body, net.home.cert)[0] == 400
    with socket.create_connection(("127.0.0.1", net.visited.port), 5) as s:
        s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n")  # no TLS at all
        s.settimeout(5)
        while s.recv(1000):
            pass
    gw.close()
    with net.visited.gateway() as good:
        assert join(good, device("70b3d57ed0000001")) is not None
    assert net.visited.metric("fedroam_ns_gateway_malformed_total") >= 5


def test_a_killed_home_never_repeats_a_join_nonce(net):
    dev = device("70b3d57ed0000002")
    with net.home.gateway() as gw:
        first = join(gw, dev)
    net.home.kill()
    net.home.start()
    with net.home.gateway() as gw:
        second = join(gw, dev)
    assert second.join_nonce > first.join_nonce
    with net.visited.gateway() as gw:  # the kept connection is gone: a new one is made for this join
        assert join(gw, device("70b3d57ed0000001")) is not None


def test_a_key_taken_back_is_refused(net):
    """A certificate in date and of the right CA, but its key is not in the network's TLSA records any more."""
    spare = net.fed.cert("ns", member="umbra", netid="000014", folder=net.fed.folder / "spare")
    dev = device("70b3d57ed0000003")
    net.home.stop()
    net.home.start()  # an empty cache: the records are asked for anew
    assert net.home.curl(json.dumps(pr_start(dev.join_request(), "70b3d57ed0000003")), spare)[0] == 200
    net.fed.cli("cert", "revoke", spare.serial, "--yes")
    net.home.stop()
    net.home.start()
    status, text = net.home.curl(json.dumps(pr_start(dev.join_request(), "70b3d57ed0000003")), spare)
    assert status == 403 and json.loads(text)["Result"]["ResultCode"] == "UnknownSender"
    assert net.home.curl(json.dumps(pr_start(dev.join_request(), "70b3d57ed0000003")), net.visited.cert)[0] == 200


class OpenConnection:
    """One kept TLS connection to a network server, as another one's."""

    def __init__(self, ns, cert):
        context = ssl.create_default_context(cafile=str(cert.root))
        context.load_cert_chain(str(cert.chain), str(cert.key))
        plain = socket.create_connection(("127.0.0.1", ns.port))
        self.socket = context.wrap_socket(plain, server_hostname=f"{ns.netid}.netid.{ns.fed.name}")
        self.port = ns.port

    def post(self, body):
        data = json.dumps(body).encode()
        self.socket.sendall(b"POST / HTTP/1.1\r\nHost: ns\r\nContent-Type: application/json\r\n"
                            b"Content-Length: %d\r\n\r\n" % len(data) + data)
        reply = http.client.HTTPResponse(self.socket)
        reply.begin()
        return reply.status, json.loads(reply.read())


def test_a_revocation_reaches_open_connections(net):
    """Revoked between two requests of one connection: the next one after the TTL of the keys gets no session key."""
    net.fed.cli("policy", "set", "ttl.netid", "10")
    cert = net.fed.cert("ns", member="lost", netid="000015", folder=net.fed.folder / "l")
    net.home.stop()
    net.home.start()
    dev = device("70b3d57ed0000003")

    def ask():
        return kept.post(pr_start(dev.join_request(), "70b3d57ed0000003", sender="000015"))

    kept = OpenConnection(net.home, cert)
    status, answer = ask()
    assert status == 200 and answer["Result"]["ResultCode"] == "Success" and ("NwkSKey" in answer or "FNwkSIntKey" in answer), answer
    net.fed.cli("cert", "revoke", cert.serial, "--yes")
    revoked = time.monotonic()

    def is_refused():
        status, answer = ask()
        if status == 200:
            time.sleep(0.3)
            return False
        assert status == 403 and answer["Result"]["ResultCode"] == "UnknownSender", answer
        assert not [k for k in answer if "Key" in k], answer
        return True

    wait_until(is_refused, 61, "the revoked peer to be refused")
    assert time.monotonic() - revoked < 13  # the TTL, and what the test itself takes
    assert ask()[0] == 403
    net.fed.cli("policy", "set", "ttl.netid", "60")


def test_peers_are_trusted_for_a_while_without_a_broker(net):
    dev = device("70b3d57ed0000003")
    net.fed.cli("policy", "set", "ttl.netid", "10")
    net.home.stop()
    net.home.start()
    request = pr_start(dev.join_request(), "70b3d57ed0000003")
    assert net.home.curl(json.dumps(request), net.visited.cert)[0] == 200
    net.fed.broker.stop()
    try:
        time.sleep(10.5)
        net.home.mark()
        request = pr_start(dev.join_request(), "70b3d57ed0000003")
        status, text = net.home.curl(json.dumps(request), net.visited.cert)
        assert status == 200 and json.loads(text)["Result"]["ResultCode"] == "Success", text
        assert net.home.events("peer.stale")
    finally:
        net.fed.start_broker()
        net.fed.cli("policy", "set", "ttl.netid", "60")
        for ns in (net.home, net.visited):  # their rest after the failure would go on for some seconds
            ns.stop()
            ns.start()


def test_a_home_that_defers_is_left_alone(net):
    """Result Deferred with a Lifetime: the device's next join is looked up and goes no further until that is over."""
    asked = []

    def defer(handler):
        request = json.loads(handler.data)
        asked.append(request["DevEUI"] if "DevEUI" in request else request["ULMetaData"]["DevEUI"])
        answer = {"ProtocolVersion": "1.0", "SenderID": "000015", "ReceiverID": request["SenderID"], "MessageType": "PRStartAns",
                  "TransactionID": request["TransactionID"], "Result": {"ResultCode": "Deferred"}, "Lifetime": 5}
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    cert = net.fed.cert("ns", member="lost", netid="000015", folder=net.fed.folder / "deferring")
    home = Server(cert.chain, cert.key, cert.root, reply=defer)
    net.fed.cli("network", "set", "000015", "--endpoint", f"127.0.0.1:{home.port}")
    own = Ns(net.fed, "deferred", "000014", net.visited.cert).configure(forwarding=True).start()  # with nothing in its cache
    dev = Device(LOST, JOIN_EUI, APP_KEY)
    try:
        with own.gateway() as gw:
            gw.push(dev.join_request())
            assert own.wait("join.answer")["result"] == "Deferred"
            own.mark()
            gw.push(dev.join_request())
            assert "left alone" in own.wait("join.failed")["why"] and len(asked) == 1

            def again():
                own.mark()
                gw.push(dev.join_request())
                own.wait("join.failed")
                return len(asked) == 2
            wait_until(again, 30, "the home to be asked again")
    finally:
        own.stop()
        home.close()


def test_a_join_server_elsewhere(net):
    """The home network holds no keys: its devices' Join Server is another server, asked over HTTPS."""
    net.fed.cli("joineui", "add", JOIN_EUI, "--member", "acme")
    cert = net.fed.cert("js", member="acme", joineui=JOIN_EUI)
    js = Ns(net.fed, "js", "000013", cert)
    js.set_devices(DEVICES)
    js.configure(roles="{forwarding: false, home: false, join_server: true}")
    js.config.write_text(js.config.read_text().replace("backend: {", "backend: {check_keys: false, "))
    js.start()
    keyless = [{"deveui": d["deveui"], "joineui": JOIN_EUI, "lorawan": d.get("lorawan", "1.0.3")} for d in DEVICES]
    name = ".".join(reversed(JOIN_EUI)) + f".joineui.{net.fed.name}"
    net.home.set_devices(keyless)
    net.home.reload(more=f'join_servers: [{{joineui: "{JOIN_EUI}", url: "https://{name}:{js.port}/", addresses: [127.0.0.1]}}]')
    try:
        for eui in ("70b3d57ed0000009", "70b3d57ed000000a"):  # a JoinNonce counter lives where the keys live
            dev = device(eui)
            with net.home.gateway() as gw:
                assert join(gw, dev).net_id == "000013"
            with net.visited.gateway() as gw:
                assert join(gw, dev).net_id == "000013"
        assert net.home.events("join.joinreq")[-1]["join_server"].startswith("https://")
        js.stop()
        with net.visited.gateway() as gw:
            assert join(gw, dev, timeout=SILENCE) is None
        assert net.visited.wait("join.answer")["result"] == "Other"
    finally:
        net.home.set_devices(DEVICES)
        net.home.reload()


def test_reload_of_a_bad_file_changes_nothing(net):
    good = net.home.config.read_text()
    net.home.config.write_text(good + "colour: red\n")
    net.home.process.signal(signal.SIGHUP)
    assert "colour" in net.home.wait("ns.reload_failed")["why"]
    net.home.config.write_text(good)
    with net.home.gateway() as gw:
        assert join(gw, device("70b3d57ed0000001")) is not None


def test_reload_takes_over_brokers_and_look_ups(net):
    good = net.visited.config.read_text()
    dead = f"https://{net.fed.host}:{free_port()}/dns-query"
    stranger = "0102030405060708"

    def heard():
        net.visited.mark()
        with net.visited.gateway() as gw:
            assert join(gw, Device(stranger, JOIN_EUI, APP_KEY), timeout=SILENCE) is None
        return net.visited.wait("join.resolve")["result"]

    def reload(text):
        net.visited.mark()
        net.visited.config.write_text(text)
        net.visited.process.signal(signal.SIGHUP)
        net.visited.wait("ns.reloaded")

    try:
        reload(good.replace(f"broker: {net.fed.url}", f"broker: {dead}") + "lookup: {timeout: 1s, cache_file: cache}\n")
        assert heard() == "no broker"
    finally:
        reload(good)
    assert heard() == "unknown"


def check(config):
    return subprocess.run([str(BIN / "fedroam-ns"), "--config", str(config), "--check"], capture_output=True, text=True,
                          env=ENV, check=False)


def test_check_of_the_configuration(net, tmp_path):
    good = net.home.config.read_text()
    config = tmp_path / "ns.yaml"
    config.write_text(good)
    assert check(config).returncode == 0
    for change, word in ((("netid:", "netidd:"), "netid"), (('"000013"', '"000000"'), "000000"), (("roles:", "rolls:"), "roles"),
                         (("home: true", "home: perhaps"), "home"), (("port:", "prot:"), "port")):
        config.write_text(good.replace(*change, 1))
        done = check(config)
        assert done.returncode == 78 and word in done.stderr, done.stderr
        assert str(config) in done.stderr
    config.write_text(good.replace("000013", "000014", 1))  # the certificate is another network's
    done = check(config)
    assert done.returncode == 78 and "not for 000014.netid.fed.test" in done.stderr, done.stderr
    config.write_text(good)
    os.chmod(net.home.devices, 0o640)
    done = check(config)
    os.chmod(net.home.devices, 0o600)
    assert done.returncode == 78 and str(net.home.devices) in done.stderr


def test_it_ends_cleanly_with_a_join_under_way(net):
    silent = socket.create_server(("127.0.0.1", 0))  # a home that takes the connection and says nothing
    net.fed.cli("network", "set", "000015", "--endpoint", f"127.0.0.1:{silent.getsockname()[1]}")
    other = Ns(net.fed, "other", "000014", net.visited.cert).configure(forwarding=True, more="timers: {drain: 500ms}").start()
    with other.gateway() as gw:
        gw.push(Device(LOST, JOIN_EUI, APP_KEY).join_request())
        other.wait("join.request")
        other.stop()
    silent.close()
