"""fedroam-agent with the real broker: plain DNS by dig, kdig and dnspython, JSON by curl, unbound and dnsmasq in front."""
import json
import random
import re
import signal
import socket
import struct
import subprocess

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import pytest

from fed import BIN, SOURCE, Daemon, Federation, free_port, tool, wait_until
from https_server import Server

DEVICE, ABSENT = "70b3d57ed0000001", "70b3d57ed00000ff"
JOINEUI = "70b3d57ed1000001"
NAME = f"{DEVICE}.deveui.fed.test"
NETWORK = "000013.netid.fed.test"
PROGRAM = BIN / "fedroam-agent"


def block(fed, cert):
    return (f"  - name: {fed.name}\n    broker: {fed.url}\n    addresses: [127.0.0.1]\n"
            f"    ca: {fed.root}\n    certificate: {cert.chain}\n    key: {cert.key}\n")


def free_dns_port():
    """A loopback port that was free for UDP and TCP a moment ago."""
    while True:
        port = free_port(socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Agent:
    def __init__(self, folder, blocks, listen=None, more=""):
        folder.mkdir(exist_ok=True)
        self.port, self.admin = free_dns_port(), free_port()
        self.socket = folder / "agent.sock"
        self.config = folder / "agent.yaml"
        self.log = folder / "agent.log"
        self.listen = listen or [("127.0.0.1", self.port)]
        self.write(blocks, more)
        self.start()

    def write(self, blocks, more=""):
        listen = ", ".join(f"{{address: '{a}', port: {p}}}" for a, p in self.listen)
        self.config.write_text(f"federations:\n{''.join(blocks)}listen: [{listen}]\nsocket: {self.socket.name}\n"
                               f"admin: {{port: {self.admin}}}\nlookup: {{timeout: 10s, broker_timeout: 5s}}\n{more}")

    def start(self):
        at = len(self.log.read_text()) if self.log.exists() else 0
        self.daemon = Daemon("fedroam-agent", ["--config", self.config], self.log)
        wait_until(lambda: "event=agent.ready" in self.log.read_text()[at:] or not self.daemon.is_running(), 15, "agent")
        assert self.daemon.is_running(), self.daemon.text()

    def stop(self):
        assert self.daemon.stop() == 0, self.daemon.text()

    def udp(self, name, rdtype="A", edns=True, flags=dns.flags.RD, timeout=15):
        query = dns.message.make_query(name, rdtype, use_edns=0 if edns else False, payload=1232, flags=flags)
        return dns.query.udp(query, "127.0.0.1", port=self.port, timeout=timeout)

    def tcp(self, name, rdtype="A"):
        query = dns.message.make_query(name, rdtype, use_edns=0)
        return dns.query.tcp(query, "127.0.0.1", port=self.port, timeout=15)

    def get(self, path, *args):
        """(status, headers, JSON)"""
        done = subprocess.run(["curl", "-sS", "-i", "--max-time", "15", "--unix-socket", self.socket, *args,
                               f"http://agent{path}"], capture_output=True, check=True)
        head, _, body = done.stdout.decode().partition("\r\n\r\n")
        lines = head.splitlines()
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        return int(lines[0].split()[1]), headers, json.loads(body) if body else None

    def metrics(self):
        done = subprocess.run(["curl", "-sS", f"http://127.0.0.1:{self.admin}/metrics"], capture_output=True, text=True,
                              check=True)
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in done.stdout.splitlines() if line and not line.startswith("#"))}


def ede(message):
    return [option.code for option in message.options if isinstance(option, dns.edns.EDEOption)]


def rrs(section, rdtype):
    return [rr.to_text() for rrset in section if rrset.rdtype == dns.rdatatype.from_text(rdtype) for rr in rrset]


@pytest.fixture(scope="module")
def agent(shared, tmp_path_factory):
    for key in ("unknown", "misses", "queries"):  # what is tested here asks more than a member should
        shared.cli("policy", "set", f"budget.{key}", "0")
    for _ in range(11):  # more keys than 512 bytes hold
        shared.cert("ns", member="acme", netid="000013", folder=tmp_path_factory.mktemp("ns"))
    shared.cert("js", member="acme", joineui=JOINEUI)
    a = Agent(tmp_path_factory.mktemp("agent"), [block(shared, shared.acme)])
    yield a
    a.stop()


# --- answers ---

@pytest.mark.parametrize("way", ["udp", "tcp"])
def test_a_device(agent, way):
    got = getattr(agent, way)(NAME)
    assert got.rcode() == dns.rcode.NOERROR
    assert got.flags & dns.flags.RA and not got.flags & dns.flags.AA
    assert rrs(got.answer, "CNAME") == [f"{NETWORK}."]
    assert rrs(got.answer, "A") == ["127.0.0.1"]
    assert [rrset.name.to_text() for rrset in got.answer] == [f"{NAME}.", f"{NETWORK}."]


@pytest.mark.parametrize("name, rdtype, wanted", [
    (NAME, "CNAME", [f"{NETWORK}."]),
    (NETWORK, "A", ["127.0.0.1"]),
    (f"e2.{NETWORK}", "AAAA", ["::1"]),
    (f"_fedroam._tcp.{NETWORK}", "SRV", [f"0 0 8005 e1.{NETWORK}.", f"1 0 8006 e2.{NETWORK}."]),
])
def test_the_types(shared, agent, name, rdtype, wanted):
    direct = shared.query(name, rdtype, shared.acme)
    got = agent.udp(name, rdtype)
    assert sorted(rrs(got.answer, rdtype)) == sorted(rrs(direct.answer, rdtype))
    if rdtype != "SRV":
        assert rrs(got.answer, rdtype) == wanted
    assert len(rrs(got.answer, rdtype)) == len(wanted)


def without_ttls(section):
    """The records of a section; what the agent has had for a second has a second less to live."""
    return sorted(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} {rdata.to_text()}" for rrset in section for rdata in rrset)


def test_every_section_is_the_brokers(shared, agent):
    for name, rdtype in [(NAME, "A"), (NAME, "AAAA"), (NETWORK, "TXT"), (f"_ns.{NETWORK}", "TLSA"), (NETWORK, "ANY"),
                         (f"{ABSENT}.deveui.fed.test", "A"), ("netid.fed.test", "A")]:
        direct = shared.query(name, rdtype, shared.acme)
        got = agent.tcp(name, rdtype)
        assert got.rcode() == direct.rcode(), name
        for mine, theirs in zip((got.answer, got.authority, got.additional),
                                (direct.answer, direct.authority, direct.additional)):
            assert without_ttls(mine) == without_ttls(theirs), (name, rdtype)


@pytest.mark.parametrize("way", ["udp", "tcp"])
def test_an_unknown_device(agent, way):
    got = getattr(agent, way)(f"{ABSENT}.deveui.fed.test")
    assert got.rcode() == dns.rcode.NXDOMAIN
    assert [r.name.to_text() for r in got.authority] == ["fed.test."] and rrs(got.authority, "SOA")


def test_no_such_type(agent):
    got = agent.udp(NETWORK, "MX")
    assert got.rcode() == dns.rcode.NOERROR and got.answer == [] and rrs(got.authority, "SOA")


@pytest.mark.parametrize("name", ["example.org", "fed.test", "broker.fed.test", ".", "xdeveui.fed.test"])
def test_other_names_are_refused(agent, name):
    before = agent.metrics()["fedroam_agent_exchanges_total"]
    for got in (agent.udp(name), agent.tcp(name)):
        assert got.rcode() == dns.rcode.REFUSED and ede(got) == [20]
        assert got.answer + got.authority + got.additional == []
    assert agent.metrics()["fedroam_agent_exchanges_total"] == before  # no broker heard of it


@pytest.mark.parametrize("change", ["AXFR", "CH", "TSIG"])
def test_odd_questions_are_refused(agent, change):
    query = dns.message.make_query(NAME, "AXFR" if change == "AXFR" else "A", rdclass="CH" if change == "CH" else "IN")
    if change == "TSIG":
        query.use_tsig(dns.tsig.Key("k.", "c2VjcmV0c2VjcmV0"))
    wire = query.to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(wire, ("127.0.0.1", agent.port))
        got = s.recv(4096)
    assert got[:2] == wire[:2] and got[3] & 15 == dns.rcode.REFUSED


def test_udp_is_cut_and_tcp_is_not(agent):
    name = f"_ns.{NETWORK}"
    plain = agent.udp(name, "TLSA", edns=False)
    assert plain.flags & dns.flags.TC and plain.answer == [] and plain.edns == -1
    assert len(plain.to_wire()) <= 512
    assert len(rrs(agent.udp(name, "TLSA").answer, "TLSA")) == 12  # 1232 bytes are enough
    assert len(rrs(agent.tcp(name, "TLSA").answer, "TLSA")) == 12
    small = dns.message.make_query(name, "TLSA", use_edns=0, payload=600)
    assert dns.query.udp(small, "127.0.0.1", port=agent.port, timeout=5).flags & dns.flags.TC
    assert dns.query.udp_with_fallback(dns.message.make_query(name, "TLSA"), "127.0.0.1", port=agent.port, timeout=5)[1]
    assert agent.metrics()["fedroam_agent_truncated_total"] >= 2


def test_ttls_count_down(agent):
    first = agent.tcp(f"e1.{NETWORK}").answer[0].ttl
    wait_until(lambda: agent.tcp(f"e1.{NETWORK}").answer[0].ttl < first, 5, "the TTL to run")


def test_letters_come_back_as_they_were_sent(agent):
    mixed = "70B3d57ED0000001.DevEUI.Fed.TEST"
    for way in (agent.udp, agent.tcp):
        got = way(mixed)
        assert got.question[0].name.to_text() == mixed + "." and rrs(got.answer, "A") == ["127.0.0.1"]


@pytest.mark.parametrize("tool", ["dig", "kdig"])
@pytest.mark.parametrize("more", [[], ["+tcp"], ["+noedns"]])
def test_the_tools(agent, tool, more):
    done = subprocess.run([tool, "@127.0.0.1", "-p", str(agent.port), "+time=15", "+short", *more, NAME, "A"],
                          capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"{NETWORK}.", "127.0.0.1"]


def test_many_questions_on_one_connection(agent):
    names = [f"{0x70b3d57ed0000001 + i:016x}.deveui.fed.test" for i in range(200)]
    with socket.create_connection(("127.0.0.1", agent.port)) as s:
        s.settimeout(10)
        sent = b""
        for i, name in enumerate(names):
            wire = dns.message.make_query(name, "A", id=i).to_wire()
            sent += struct.pack("!H", len(wire)) + wire
        s.sendall(sent)
        stream, answers = s.makefile("rb"), {}
        for _ in names:
            size, = struct.unpack("!H", stream.read(2))
            got = dns.message.from_wire(stream.read(size))
            answers[got.id] = got.rcode()
    assert sorted(answers) == list(range(200))
    assert [answers[i] for i in range(3)] == [0, 0, 0] and set(list(answers.values())[3:]) <= {0, 3}


def test_a_question_in_single_bytes_and_a_half_closed_connection(agent):
    wire = dns.message.make_query(NAME, "A").to_wire()
    with socket.create_connection(("127.0.0.1", agent.port)) as s:
        s.settimeout(5)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in struct.pack("!H", len(wire)) + wire:
            s.sendall(bytes([byte]))
        s.shutdown(socket.SHUT_WR)
        data = s.makefile("rb").read()
    assert dns.message.from_wire(data[2:]).rcode() == 0 and len(data) == 2 + struct.unpack("!H", data[:2])[0]


# --- JSON ---

def test_json(shared, agent):
    status, headers, got = agent.get(f"/v1/devices/{DEVICE}")
    assert status == 200 and headers["content-type"] == "application/json"
    assert (got["result"], got["id"], got["federation"], got["netid"]) == ("found", DEVICE, "fed.test", "000013")
    assert got["endpoints"] == ["127.0.0.1:8005", "[::1]:8006"]
    assert got["tls_name"] == NETWORK and len(got["pins"]) == 12
    assert got["key"] == str(shared.acme.key) and 0 < got["ttl"] <= 60
    assert agent.get("/v1/networks/000014")[2]["endpoints"] == ["127.0.0.2:8005"]
    assert agent.get("/v1/networks/000013?federation=fed.test")[0] == 200
    assert agent.get(f"/v1/devices/{DEVICE.upper()}")[2]["netid"] == "000013"


@pytest.mark.parametrize("path, status", [
    (f"/v1/devices/{ABSENT}", 404), ("/v1/networks/000015", 404), ("/v1/joineuis/70b3d57ed1ffffff", 404), ("/", 404),
    ("/v1/devices/", 400), ("/v1/devices/70b3", 400), ("/v1/networks/zz", 400), ("/v1/other/1", 400),
    (f"/v1/devices/{DEVICE}?federation=", 400), (f"/v1/devices/{DEVICE}?federation=no.test", 400),
    (f"/v1/devices/{DEVICE}?x=1", 400)])
def test_json_problems(agent, path, status):
    got, headers, problem = agent.get(path)
    assert got == status and headers["content-type"] == "application/problem+json"
    assert problem["status"] == status and problem["title"] and problem["detail"]


def test_json_only_get(agent):
    status, headers, _ = agent.get(f"/v1/devices/{DEVICE}", "-X", "DELETE")
    assert status == 405 and headers["allow"] == "GET, HEAD"


def test_the_socket_is_for_owner_and_group(agent):
    assert agent.socket.stat().st_mode & 0o777 == 0o660


# --- hostile bytes ---

def send(agent, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.3)
        s.sendto(data, ("127.0.0.1", agent.port))
        try:
            return s.recv(4096)
        except socket.timeout:
            return None


def test_responses_and_scraps_are_not_answered(agent):
    query = dns.message.make_query(NAME, "A").to_wire()
    before = agent.metrics()
    for data in (b"", b"\0", query[:11], query[:2] + bytes([query[2] | 0x80]) + query[3:], query + b"\0" * 3000):
        assert send(agent, data) is None, data[:20]
    after = agent.metrics()
    assert after["fedroam_agent_dropped_total"] - before["fedroam_agent_dropped_total"] == 4
    assert after["fedroam_agent_datagrams_too_long_total"] - before["fedroam_agent_datagrams_too_long_total"] == 1


def test_malformed_queries_get_formerr_and_unknown_opcodes_notimp(agent):
    query = dns.message.make_query(NAME, "A").to_wire()
    assert send(agent, query[:-1])[3] & 15 == dns.rcode.FORMERR
    assert send(agent, query + b"x")[3] & 15 == dns.rcode.FORMERR
    assert send(agent, query[:2] + b"\x28" + query[3:])[3] & 15 == dns.rcode.NOTIMP
    version_1 = bytearray(dns.message.make_query(NAME, "A", use_edns=0).to_wire())
    version_1[-5] = 1
    assert dns.message.from_wire(send(agent, bytes(version_1))).rcode() == dns.rcode.BADVERS


def test_random_datagrams_do_no_harm(agent):
    chance = random.Random(20240501)
    query = dns.message.make_query(NAME, "A", use_edns=0).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(3000):
            data = bytearray(query)
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            s.sendto(bytes(data[:chance.randint(1, len(data))]), ("127.0.0.1", agent.port))

    def is_well():
        try:
            return rrs(agent.udp(NAME, timeout=0.5).answer, "A") == ["127.0.0.1"]
        except dns.exception.Timeout:  # lost: its buffer was still full
            return False
    wait_until(is_well, 10, "an answer")


def test_tcp_connections_that_say_nonsense_or_nothing(shared, tmp_path):
    a = Agent(tmp_path / "a", [block(shared, shared.acme)], more="limits: {connections: 3, idle: 300ms}\n")
    try:
        for length in (0, 2049, 65535):
            with socket.create_connection(("127.0.0.1", a.port)) as s:
                s.settimeout(5)
                s.sendall(struct.pack("!H", length) + b"x")
                assert read_end(s) == b""
        idle = [socket.create_connection(("127.0.0.1", a.port)) for _ in range(3)]
        wait_until(lambda: a.metrics()["fedroam_agent_connections_open"] == 3, 5, "three connections")
        with socket.create_connection(("127.0.0.1", a.port)) as s:
            s.settimeout(5)
            assert read_end(s) == b""  # one too many
        for s in idle:
            s.settimeout(5)
            assert read_end(s) == b""
            s.close()
        m = a.metrics()
        assert m["fedroam_agent_connections_bad_total"] == 3 and m["fedroam_agent_connections_idle_total"] == 3
        assert m["fedroam_agent_connections_too_many_total"] == 1 and m["fedroam_agent_connections_open"] == 0
        assert a.tcp(NAME).rcode() == 0
    finally:
        a.stop()


def read_end(s):
    try:
        return s.recv(100)
    except ConnectionResetError:
        return b""


# --- who may ask ---

def own_address():
    """An address of this machine that is not loopback; None where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return s.getsockname()[0]


def test_listening_elsewhere_needs_allow(shared, tmp_path):
    config = tmp_path / "agent.yaml"
    for listen, more, said in (
            ("{address: 198.51.100.7}", "", "listen: 198.51.100.7 is not a loopback address"),
            ("{address: 0.0.0.0}", "", "listen: 0.0.0.0 is not a loopback address"),
            ("{address: 127.0.0.1}", "allow: [172.17.0.1/16]\n", "bits set behind its length"),
            ("{address: 127.0.0.1}", "alow: [172.17.0.0/16]\n", "allow")):
        config.write_text(f"federations:\n{block(shared, shared.acme)}listen: [{listen}]\n{more}")
        done = subprocess.run([str(PROGRAM), "--config", config, "--check"], capture_output=True, text=True, check=False)
        assert done.returncode == 78 and said in done.stderr, done.stderr


def test_guests_are_served_and_strangers_are_not(shared, tmp_path):
    address = own_address()
    if address is None:
        pytest.skip("this machine has loopback only")
    port = free_dns_port()
    query = dns.message.make_query(NAME, "A")
    for allow, is_served in ((f"[{address}]", True), ("[198.51.100.0/24]", False)):
        a = Agent(tmp_path / f"{is_served}", [block(shared, shared.acme)], listen=[("0.0.0.0", port)],
                  more=f"allow: {allow}\n")
        a.port = port
        try:
            assert a.udp(NAME).rcode() == 0  # loopback always
            if is_served:
                assert dns.query.udp(query, address, port=port, timeout=5).rcode() == 0  # from the address asked
                assert dns.query.tcp(query, address, port=port, timeout=5).rcode() == 0
            else:
                with pytest.raises(dns.exception.Timeout):
                    dns.query.udp(query, address, port=port, timeout=0.5)
                with pytest.raises((EOFError, ConnectionError)):
                    dns.query.tcp(query, address, port=port, timeout=5)
                assert a.metrics()["fedroam_agent_strangers_total"] >= 2
        finally:
            a.stop()


# --- when the broker is away ---

def test_broker_down_then_stale_then_back(fed, tmp_path):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", [DEVICE, "70b3d57ed0000002"])
    acme = fed.cert("doh", member="acme")
    fed.cli("policy", "set", "ttl.netid", "10s", "--yes")
    fed.start_broker()
    a = Agent(tmp_path / "agent", [block(fed, acme)])
    try:
        assert rrs(a.udp(NAME).answer, "A") == ["127.0.0.1"]
        fed.broker.stop()
        for way in (a.udp, a.tcp):
            got = way("70b3d57ed0000002.deveui.fed.test")
            assert got.rcode() == dns.rcode.SERVFAIL and ede(got) == [22], got
        status, _, problem = a.get("/v1/devices/70b3d57ed0000002")
        assert status == 503 and "127.0.0.1" in problem["detail"]
        assert "event=agent.no_answer" in a.log.read_text()

        def stale():
            got = a.udp(NAME)
            return got if ede(got) == [3] else None
        got = wait_until(stale, 20, "the TTL to end")
        assert got.rcode() == 0 and rrs(got.answer, "A") == ["127.0.0.1"] and got.answer[0].ttl == 30
        assert a.metrics()["fedroam_agent_stale_total"] >= 1
        fed.start_broker()
        wait_until(lambda: a.udp("70b3d57ed0000002.deveui.fed.test").rcode() == 0, 10, "the broker to be asked again")
    finally:
        a.stop()


@pytest.mark.parametrize("status, kind, json_status", [(503, "text/plain", 503), (200, "text/html", 502)])
def test_a_broker_that_fails(shared, tmp_path, status, kind, json_status):
    state = shared.state
    broker = Server(state / "server.chain.pem", state / "server.key", shared.root,
                    lambda _: (status, {"Content-Type": kind}, b"no\n"))
    a = Agent(tmp_path / "agent", [block(shared, shared.acme).replace(str(shared.port), str(broker.port))])
    try:
        got = a.udp(NAME)
        assert got.rcode() == dns.rcode.SERVFAIL and ede(got) == [23]
        assert a.get("/v1/devices/70b3d57ed0000002")[0] == json_status
    finally:
        a.stop()
        broker.close()


def test_a_refused_member(fed, tmp_path):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", [DEVICE])
    acme = fed.cert("doh", member="acme")
    fed.start_broker()
    fed.cli("member", "suspend", "acme", "--reason", "test", "--yes")
    a = Agent(tmp_path / "agent", [block(fed, acme)])
    try:
        got = a.udp(NAME)
        assert got.rcode() == dns.rcode.SERVFAIL and ede(got) == [18]
        status, _, problem = a.get(f"/v1/devices/{DEVICE}")
        assert status == 403 and "403" in problem["detail"]
    finally:
        a.stop()


def test_over_budget(fed, tmp_path):
    fed.member("acme", "000013", "127.0.0.1:8005")
    acme = fed.cert("doh", member="acme")
    fed.cli("policy", "set", "budget.misses", "1")
    fed.start_broker()
    a = Agent(tmp_path / "agent", [block(fed, acme)])
    try:
        def refused():
            eui = f"{random.getrandbits(64):016x}"
            return agent_answer(a.get(f"/v1/devices/{eui}"), a.udp(f"{eui}.deveui.fed.test"))
        wait_until(refused, 10, "the budget to be used up")
    finally:
        a.stop()


def agent_answer(json_answer, dns_answer):
    """True once both say that it was too much."""
    status, headers, problem = json_answer
    assert status in (404, 429), problem
    if status == 404:
        return False
    assert int(headers["retry-after"]) > 0 and problem["result"] == "over budget"
    assert dns_answer.rcode() == dns.rcode.SERVFAIL and ede(dns_answer) == [0]
    return True


def test_a_device_not_to_be_asked_about(shared, tmp_path):
    a = Agent(tmp_path / "agent", [block(shared, shared.acme) + f"    except: [{DEVICE}]\n"])
    try:
        got = a.udp(NAME)
        assert got.rcode() == dns.rcode.NXDOMAIN and ede(got) == [17] and got.authority == []
        assert a.get(f"/v1/devices/{DEVICE}")[0] == 404
        assert a.metrics()["fedroam_agent_exchanges_total"] == 0
        assert a.udp("70b3d57ed0000002.deveui.fed.test").rcode() == 0
    finally:
        a.stop()


# --- running it ---

def test_two_federations_and_a_reload(shared, tmp_path):
    other = Federation(tmp_path / "other-fed", name="two.test")
    other.folder.mkdir()
    other.init()
    other.member("umbra", "000013", "127.0.0.9:8005")
    other.devices("000013", ["70b3d57ed0000099"])
    umbra = other.cert("doh", member="umbra")
    other.start_broker()
    a = Agent(tmp_path / "agent", [block(shared, shared.acme)])
    try:
        assert a.udp("70b3d57ed0000099.deveui.two.test").rcode() == dns.rcode.REFUSED
        good = a.config.read_text()
        a.config.write_text("federations: nonsense\n")
        a.daemon.signal(signal.SIGHUP)
        a.daemon.wait_for("agent.reload_failed")
        assert a.udp(NAME).rcode() == 0
        a.config.write_text(good.replace(f"port: {a.port}", f"port: {free_port()}"))
        a.daemon.signal(signal.SIGHUP)
        a.daemon.wait_for("listen changed: restart for that")
        a.write([block(shared, shared.acme), block(other, umbra)])
        a.daemon.signal(signal.SIGHUP)
        a.daemon.wait_for("event=agent.reloaded")
        assert rrs(a.udp("70b3d57ed0000099.deveui.two.test").answer, "A") == ["127.0.0.9"]
        assert rrs(a.udp(NAME).answer, "A") == ["127.0.0.1"]
        assert a.get("/v1/devices/70b3d57ed0000099")[2]["federation"] == "two.test"
        assert a.get("/v1/networks/000013")[0] == 400  # of which federation?
        assert a.get("/v1/networks/000013?federation=two.test")[2]["endpoints"] == ["127.0.0.9:8005"]
    finally:
        a.stop()
        other.stop()
    assert not a.socket.exists()


def test_a_reload_keeps_the_cache(shared, tmp_path):
    """Other files and other limits, the same federations: what was asked once is not asked again."""
    a = Agent(tmp_path / "agent", [block(shared, shared.acme)])
    try:
        assert rrs(a.udp(NAME).answer, "A") == ["127.0.0.1"]
        assert a.get(f"/v1/devices/{DEVICE}")[2]["freshness"] == "fresh"
        before = a.metrics()["fedroam_agent_exchanges_total"]
        a.write([block(shared, shared.ns13)], more="limits: {pending: 77}\n")
        a.daemon.signal(signal.SIGHUP)
        a.daemon.wait_for("event=agent.reloaded")
        assert a.metrics()["fedroam_agent_cache_entries"] > 0
        assert a.get(f"/v1/devices/{DEVICE}")[2]["freshness"] == "cached"
        assert rrs(a.udp(NAME).answer, "A") == ["127.0.0.1"]
        assert a.metrics()["fedroam_agent_exchanges_total"] == before
        assert a.get(f"/v1/devices/{ABSENT}")[0] == 404              # asked with the new certificate
        assert a.metrics()["fedroam_agent_exchanges_total"] == before + 1
    finally:
        a.stop()


def test_questions_go_on_through_reloads(shared, tmp_path):
    a = Agent(tmp_path / "agent", [block(shared, shared.acme)])
    try:
        for i in range(5):
            with socket.create_connection(("127.0.0.1", a.port)) as s:
                s.settimeout(10)
                sent = b""
                for n in range(50):
                    wire = dns.message.make_query(f"{n:016x}.deveui.fed.test", "A", id=n).to_wire()
                    sent += struct.pack("!H", len(wire)) + wire
                a.daemon.signal(signal.SIGHUP)
                s.sendall(sent)
                stream = s.makefile("rb")
                for _ in range(50):
                    size, = struct.unpack("!H", stream.read(2))
                    assert dns.message.from_wire(stream.read(size)).rcode() == dns.rcode.NXDOMAIN
            wait_until(lambda: a.log.read_text().count("event=agent.reloaded") == i + 1, 5, "the reload")
    finally:
        a.stop()


def test_check_version_and_health(shared, agent):
    program = str(PROGRAM)
    done = subprocess.run([program, "--config", agent.config, "--check"], capture_output=True, text=True, check=True)
    assert "good" in done.stderr
    assert subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.startswith("fedroam-agent ")
    for path, text in (("healthz", "ok"), ("readyz", "ready")):
        done = subprocess.run(["curl", "-sS", f"http://127.0.0.1:{agent.admin}/{path}"], capture_output=True, text=True,
                              check=True)
        assert done.stdout.startswith(text)


def test_a_missing_certificate_is_said_at_the_start(shared, tmp_path):
    config = tmp_path / "agent.yaml"
    config.write_text("federations:\n" + block(shared, shared.acme).replace(str(shared.acme.key), "/nowhere/me.key"))
    done = subprocess.run([str(PROGRAM), "--config", config, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "/nowhere/me.key" in done.stderr


def test_the_log_holds_no_whole_deveui(agent):
    assert not re.search(DEVICE, agent.log.read_text())


# --- behind other resolvers: the recipes of docs/agent.md ---

def run_resolver(command, port):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def is_up():
        assert process.poll() is None, process.stdout.read().decode()
        try:
            dns.query.udp(dns.message.make_query("up.invalid", "A"), "127.0.0.1", port=port, timeout=0.2)
            return True
        except (dns.exception.Timeout, OSError):
            return False
    wait_until(is_up, 15, command[0])
    return process


def ask(port, name, rdtype="A"):
    return dns.query.udp(dns.message.make_query(name, rdtype, use_edns=0), "127.0.0.1", port=port, timeout=15)


def recipe(name, agent_port):
    """The recipe as docs/agent.md prints it, for another agent port."""
    text = (SOURCE / "docs" / "agent.md").read_text()
    found = re.search(rf"<!-- recipe: {name} -->\n```\w*\n(.*?)```", text, re.S)
    assert found, name
    return found.group(1).replace("5300", str(agent_port))


def check_resolver(agent, port):
    got = ask(port, NAME)
    assert rrs(got.answer, "CNAME") == [f"{NETWORK}."] and rrs(got.answer, "A") == ["127.0.0.1"]
    assert len(rrs(ask(port, f"_fedroam._tcp.{NETWORK}", "SRV").answer, "SRV")) == 2
    before = agent.metrics()["fedroam_agent_queries_total"]
    for _ in range(3):
        assert ask(port, NAME).rcode() == 0
    assert agent.metrics()["fedroam_agent_queries_total"] == before  # it caches
    assert ask(port, f"{ABSENT}.deveui.fed.test").rcode() == dns.rcode.NXDOMAIN


def test_behind_unbound(agent, tmp_path):
    port = free_dns_port()
    config = tmp_path / "unbound.conf"
    config.write_text(f"server:\n  interface: 127.0.0.1@{port}\n  port: {port}\n  username: ''\n  chroot: ''\n"
                      f"  directory: '{tmp_path}'\n  pidfile: ''\n  use-syslog: no\n  do-daemonize: no\n"
                      f"  module-config: 'validator iterator'\nremote-control:\n  control-enable: no\n" +
                      recipe("unbound", agent.port))
    process = run_resolver([tool("unbound"), "-d", "-c", str(config)], port)
    try:
        check_resolver(agent, port)
    finally:
        process.terminate()
        process.wait()


def test_behind_dnsmasq(agent, tmp_path):
    port = free_dns_port()
    config = tmp_path / "dnsmasq.conf"
    config.write_text(f"port={port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nuser=\n"
                      f"pid-file={tmp_path}/pid\n" + recipe("dnsmasq", agent.port))
    process = run_resolver([tool("dnsmasq"), "-k", "-C", str(config)], port)
    try:
        check_resolver(agent, port)
    finally:
        process.terminate()
        process.wait()
