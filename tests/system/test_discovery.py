"""Brokers found in public DNS: by what the operator publishes, when it changes, when it lies, and that nothing private is asked there."""
import contextlib
import json
import socket
import subprocess
import threading
import time

import pytest

from fed import BIN, Federation, free_port, tool, wait_until
from public_dns import PublicDns
from test_public_zone import Server, named

DEVICE, ABSENT = "70b3d57ed0000001", "70b3d57ed00000ff"
DEVICES = [f"70b3d57ed00000{i:02x}" for i in range(1, 33)]
TEMPORARY = 10


class World:
    """A federation whose broker runs, and a public DNS of the test's own."""

    def __init__(self, folder, fed, acme, ns13):
        self.folder, self.fed, self.acme, self.ns13 = folder, fed, acme, ns13
        self.dns = PublicDns()
        self.others = []

    def write(self, public_dns=None, addresses=None, discover=True, port="", name="resolver.yaml", more="", timeout="10s"):
        path = self.folder / name
        path.write_text(f"{more}federations:\n  - name: fed.test\n    broker: https://broker.fed.test{port}/dns-query\n"
                        + (f"    addresses: {addresses}\n" if addresses else "")
                        + f"    discover: {str(discover).lower()}\n    ca: {self.fed.root}\n    certificate: {self.acme.chain}\n"
                        f"    key: {self.acme.key}\nlookup: {{timeout: {timeout}, broker_timeout: 2s, "
                        f"public_dns: {public_dns or self.dns.address}}}\n")
        return path

    def publish(self, *services, ttl=60, target="b1.example.test"):
        """SVCB records: (priority, port)."""
        self.dns.say("_dns.broker.fed.test", "SVCB",
                     *(f'{priority} {target}. alpn="h2" port={port} key7="/dns-query{{?dns}}"' for priority, port in services), ttl=ttl)
        self.dns.say(target, "A", "127.0.0.1", ttl=ttl)

    def resolve(self, config, eui=DEVICE, code=0):
        done = self.fed.run("resolve", "--config", config, "-o", "json", eui, code=code)
        return json.loads(done.stdout)

    def discovery(self, config):
        """The steps of `why` about where the broker is."""
        done = self.fed.run("why", "--config", config, "-o", "json", DEVICE, code=None)
        return [s for s in json.loads(done.stdout)["steps"] if s["step"] == "discovery"]

    def agent(self, more):
        admin = free_port()
        config = self.write(name="agent.yaml", more=f"{more}\nsocket: {self.folder}/agent.sock\nadmin: {{address: 127.0.0.1, port: {admin}}}\n")
        agent = self.fed.daemon("fedroam-agent", "--config", config, log=self.folder / "agent.log")
        agent.admin = admin
        self.others.append(agent.stop)
        agent.wait_for("agent.ready")
        return agent

    def close(self):
        for close in self.others:
            close()
        self.dns.close()


@pytest.fixture(scope="module")
def federation(tmp_path_factory):
    fed = Federation(tmp_path_factory.mktemp("discovery"), workers=1).init()
    fed.member("acme", "000013", "192.0.2.10:8005")
    fed.devices("000013", DEVICES)
    fed.start_broker()
    yield fed, fed.cert("doh", member="acme"), fed.cert("ns", member="acme", netid="000013")
    fed.stop()


@pytest.fixture
def world(federation, tmp_path):
    w = World(tmp_path, *federation)
    yield w
    w.close()


class Relay:
    """A port that leads to the broker, and counts who comes."""

    def __init__(self, port):
        self.to, self.connections = port, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", self.to))
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    @staticmethod
    def _carry(a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
        with contextlib.suppress(OSError):
            b.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("kind", ["bind", "knot"])
def test_what_the_operator_publishes_leads_members_to_the_broker(world, tmp_path, kind):
    """The configuration knows the name only: port, path and address come from the records of `zone public`."""
    folder = tmp_path / kind
    folder.mkdir()
    text = world.fed.cli("zone", "public", "--zone", "--address", "127.0.0.1", "--ns", "ns1.example.net").stdout
    (folder / "fed.test.zone").write_text(text)
    if kind == "bind":
        server = named(folder, f'zone "fed.test" {{ type primary; file "{folder}/fed.test.zone"; }};')
    else:
        port = free_port()
        (folder / "knot.conf").write_text(f"server:\n    rundir: {folder}\n    listen: 127.0.0.1@{port}\n    udp-workers: 1\n    tcp-workers: 1\n"
                                          f"    background-workers: 1\ndatabase:\n    storage: {folder}\n"
                                          f"zone:\n  - domain: fed.test\n    storage: {folder}\n    file: fed.test.zone\n")
        server = Server("knotd", [tool("knotd"), "-c", str(folder / "knot.conf")], folder, port, "server started")
    world.others.append(server.kill)
    config = world.write(public_dns=f"127.0.0.1:{server.port}")
    assert world.resolve(config)["result"] == "found"
    seen = [s["seen"] for s in world.discovery(config)]
    assert f"_dns.broker.fed.test leads to broker.fed.test, 127.0.0.1:{world.fed.port}/dns-query, for 3600 s" in seen, seen


def test_nothing_private_is_asked_in_public(world):
    """The agent looks devices, networks and Join Servers up, known and unknown; public DNS hears of the broker alone."""
    world.publish((1, world.fed.port), ttl=1)
    port = free_port(socket.SOCK_DGRAM)
    agent = world.agent(f"listen: [{{address: 127.0.0.1, port: {port}}}]")
    names = [f"{DEVICE}.deveui.fed.test", f"{ABSENT}.deveui.fed.test", "000013.netid.fed.test", "_ns.000013.netid.fed.test",
             "_fedroam._tcp.000013.netid.fed.test", "8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.joineui.fed.test"]
    for name in names:
        out = subprocess.run([tool("dig"), "@127.0.0.1", "-p", str(port), "+tries=3", "+time=10", name, "A"], capture_output=True, text=True,
                             timeout=60, check=True).stdout
        assert "status: NOERROR" in out or "status: NXDOMAIN" in out, out
        time.sleep(0.3)  # so that records end in between and are asked for again
    asked = {name for name, _ in world.dns.asked}
    assert asked <= {"_dns.broker.fed.test", "b1.example.test", "broker.fed.test"} and "_dns.broker.fed.test" in asked
    assert len(world.dns.asked) < 40
    metrics = subprocess.run(["curl", "-sS", f"http://127.0.0.1:{agent.admin}/metrics"], capture_output=True, text=True, check=True).stdout
    assert f"fedroam_agent_public_dns_total {len(world.dns.asked)}\n" in metrics


def test_dead_services_are_passed(world):
    world.publish((1, free_port()), (2, world.fed.port))
    assert world.resolve(world.write())["result"] == "found"
    world.publish((1, free_port()))
    assert world.resolve(world.write(addresses="[127.0.0.1]", port=f":{world.fed.port}"))["result"] == "found"


def test_without_records_the_configuration_counts(world):
    world.dns.say("broker.fed.test", "A", "127.0.0.1")
    config = world.write(port=f":{world.fed.port}")
    assert world.resolve(config)["result"] == "found"
    found = world.discovery(config)
    assert "broker.fed.test is 127.0.0.1:" in found[0]["seen"]
    assert found[1]["state"] == "doubt" and found[1]["seen"] == "_dns.broker.fed.test SVCB: there is no such name"
    assert "zone public" in found[1]["todo"]
    world.dns.is_silent = True
    got = world.resolve(world.write(port=f":{world.fed.port}", timeout="2s"), code=TEMPORARY)
    assert got["result"] == "no broker"
    assert world.resolve(world.write(addresses="[127.0.0.1]", port=f":{world.fed.port}"))["result"] == "found"


def test_changed_records_are_followed_within_their_ttl(world):
    first, second = Relay(world.fed.port), Relay(world.fed.port)
    world.others += [first.close, second.close]
    world.publish((1, first.port), ttl=2)
    world.agent("listen: []")
    devices = iter(DEVICES)

    def ask():
        done = subprocess.run(["curl", "-s", "--max-time", "20", "--unix-socket", str(world.folder / "agent.sock"), f"http://agent/v1/devices/{next(devices)}"],
                              capture_output=True, text=True, check=True)
        assert '"000013"' in done.stdout, done.stdout
    ask()
    assert (first.connections, second.connections) == (1, 0)
    world.publish((1, second.port), ttl=2)
    end = time.monotonic() + 2  # by the TTL
    wait_until(lambda: ask() or time.sleep(0.3) or second.connections == 1, 20, "the new place")
    assert time.monotonic() - end < 15
    ask()
    assert first.connections == 1


class SServer:
    """openssl s_server, which asks for a client's certificate and tells every message of the handshake."""

    def __init__(self, folder, chain, key, version):
        self.port, self.log = free_port(), folder / f"s_server{version}.log"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen([tool("openssl"), "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", str(chain), "-cert_chain", str(chain),
                                             "-key", str(key), "-verify", "2", "-msg", "-alpn", "h2", version], stdin=subprocess.PIPE, stdout=out, stderr=out)
        wait_until(lambda: b"ACCEPT" in self.log.read_bytes(), 20, "s_server")

    def heard(self):
        """The names of the handshake messages that the client sent."""
        return [line.rsplit(", ", 1)[-1].strip() for line in self.log.read_text(errors="replace").splitlines()
                if line.startswith("<<<") and "Handshake" in line]

    def close(self):
        self.process.kill()
        self.process.wait(20)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_stranger_never_sees_our_certificate(world, tmp_path, version):
    """Public DNS leads to somebody else's server, which asks for a certificate: it gets a ClientHello and an alert."""
    (tmp_path / "evil").mkdir()
    evil = Federation(tmp_path / "evil", workers=1).init()  # the same names under another root
    servers = {"another CA": (evil.state / "server.chain.pem", evil.state / "server.key"),
               "another name": (world.ns13.chain, world.ns13.key)}
    for label, (chain, key) in servers.items():
        server = SServer(tmp_path, chain, key, version)
        world.others.append(server.close)
        world.publish((1, server.port))
        assert world.resolve(world.write(), code=TEMPORARY)["result"] == "no broker", label
        heard = wait_until(server.heard, 20, "a ClientHello")
        assert heard[0] == "ClientHello" and not {"Certificate", "CertificateVerify", "Finished"} & set(heard), (label, heard)
        # and the way of the configuration is taken beside it
        assert world.resolve(world.write(addresses="[127.0.0.1]", port=f":{world.fed.port}"))["result"] == "found", label
        assert not {"Certificate", "CertificateVerify"} & set(server.heard())
        server.close()


def test_the_true_broker_does_see_it(world, tmp_path):
    """The same server with the broker's own certificate: what the test above looks for is there."""
    for version in ("-tls1_2", "-tls1_3"):
        server = SServer(tmp_path, world.fed.state / "server.chain.pem", world.fed.state / "server.key", version)
        world.others.append(server.close)
        world.publish((1, server.port))
        world.resolve(world.write(timeout="3s"), code=None)
        assert "Certificate" in wait_until(lambda: "Finished" in server.heard() and server.heard(), 20, "the handshake")
        server.close()


NS = """netid: "000013"
gateways: {address: 127.0.0.1, port: 1700}
backend: {address: 127.0.0.1, port: 8005}
roles: {forwarding: true, home: false, join_server: false}
"""


@pytest.mark.parametrize("program", ["fedroam-agent", "fedroam-ns"])
def test_a_check_tells_what_a_start_would(world, program):
    head = NS if program == "fedroam-ns" else ""
    world.acme = world.ns13  # a network server's certificate names its network
    for public_dns, code, what in ((world.dns.address, 0, ""), ("system", 0, ""), ("off", 78, "there is no public DNS to ask"),
                                   ("ns.example", 78, "not off, system or an address")):
        config = world.write(public_dns=public_dns, addresses="[127.0.0.1]", more=head, name=f"{program}.yaml")
        if head:
            config.write_text(config.read_text() + f"state: {world.folder}/ns-state\n")
        done = subprocess.run([str(BIN / program), "--check", "--config", str(config)], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code and what in done.stderr, (public_dns, done.stderr)


def test_wrong_configurations_are_told(world):
    for public_dns, what in (("off", "there is no public DNS to ask"), ("ns.example", "not off, system or an address")):
        config = world.write(public_dns=public_dns, addresses="[127.0.0.1]")
        assert what in world.fed.run("resolve", "--config", config, DEVICE, code=78).stderr
