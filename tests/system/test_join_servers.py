"""Join Servers by JoinEUI: the federation's at its broker, public trees in BIND, with the records of the Backend Interfaces document."""
import json
import socket
import ssl
import subprocess

import pytest

from fed import Federation, free_port, tool, wait_until
from test_public_zone import named
from test_resolve import resolve, write_config

OURS, EXAMPLE, BOTH, PLAIN, HERE = "70b3d57ed1000000", "00005e100000002f", "70b3d57ed1000001", "6c4eef66f47986a6", "00005e1000000030"
BLOCK, OUTSIDE = "70b3d57ed2000000/40", "70b3d57ed3000000"
ABSENT, LOST, MANY = "00005e10000000ff", "00005e1000000031", "00005e1000000032"
EXAMPLE_NAME = "f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0"
TEMPORARY = 10

ALLIANCE = f"""$TTL 300
@ SOA ns.example. noc.example. 1 3600 600 604800 60
@ NS ns.example.
{EXAMPLE_NAME} NAPTR 50 50 "S" "LWN" "" _LWN._X2H.operator.com.
{EXAMPLE_NAME} NAPTR 90 50 "S" "LWNS" "" _LWN._J2H.operator.com.
{EXAMPLE_NAME} NAPTR 100 50 "S" "LWN" "" _LWN._B2H.operator.com.
0.3.0.0.0.0.0.0.0.1.e.5.0.0.0.0 NAPTR 10 10 "U" "LWNS" "!^.*$!https://js.operator.com:HERE/join!" .
1.3.0.0.0.0.0.0.0.1.e.5.0.0.0.0 NAPTR 10 10 "S" "LWNS" "" _lwns._tcp.{".".join(reversed(OURS))}.joineui.fed.test.
1.3.0.0.0.0.0.0.0.1.e.5.0.0.0.0 NAPTR 20 10 "" "" "" 1.3.0.0.0.0.0.0.0.1.e.5.0.0.0.0
2.3.0.0.0.0.0.0.0.1.e.5.0.0.0.0 NAPTR 10 10 "S" "LWNS" "" _lwns._tcp.operator.com.
{".".join(reversed(BOTH))} NAPTR 10 10 "A" "LWNS" "" js.operator.com.
"""
OPERATOR = """$TTL 200
@ SOA ns.example. noc.example. 1 3600 600 604800 60
@ NS ns.example.
_LWN._X2H SRV 0 1 443 server1
_LWN._J2H SRV 0 2 443 server2
_LWN._B2H SRV 0 1 443 server2
_lwns._tcp SRV 0 10 8443 many1
_lwns._tcp SRV 0 90 8443 many2
_lwns._tcp SRV 5 0 8443 server1
server1 A 192.0.2.1
server2 A 192.0.2.2
server2 AAAA 2001:db8::2
js A 127.0.0.1
many1 A 192.0.2.11
many2 A 192.0.2.12
"""
IOTREG = f"""$TTL 100
@ SOA ns.example. noc.example. 1 3600 600 604800 60
@ NS ns.example.
{".".join(reversed(PLAIN))} A 192.0.2.66
{".".join(reversed(PLAIN))} AAAA 2001:db8::66
"""


class World:
    def __init__(self, folder):
        self.folder, self.js_port = folder, free_port()
        self.fed = Federation(folder, workers=1).init()
        self.fed.member("acme", "000013", "127.0.0.1:8005")
        self.fed.devices("000013", ["70b3d57ed0000001"])
        self.js = self.fed.cert("js", member="acme", joineui=OURS)
        self.add(OURS, f"https://127.0.0.1:{self.js_port}")
        self.add(BOTH, "https://127.0.0.1:9001")
        self.add(BLOCK, "https://192.0.2.21:8443,also=2001:db8::21,priority=1", "https://192.0.2.22:8443,priority=2",
                 "http://192.0.2.23:8080")
        self.add(OUTSIDE, "https://js.operator.com:8443", "https://nowhere.operator.com:8443")
        self.fed.start_broker()
        self.acme = self.fed.cert("doh", member="acme")
        zones = folder / "named"
        zones.mkdir()
        config = ""
        for zone, text in (("joineuis.lora-alliance.org", ALLIANCE.replace("HERE", str(self.js_port))), ("operator.com", OPERATOR),
                           ("joineui.iotreg.net", IOTREG)):
            (zones / zone).write_text(text)
            config += f'zone "{zone}" {{ type primary; file "{zone}"; }};\n'
        self.named = named(zones, config, "querylog yes;")

    def add(self, joineui, *servers):
        self.fed.cli("joineui", "add", joineui, "--member", "acme", *(arg for s in servers for arg in ("--server", s)))

    def write(self, services="[LWNS]", name="resolver.yaml", more="", servers=None):
        public = servers or [f"127.0.0.1:{self.named.port}"]
        return write_config(self.folder, self.fed, self.acme, name, more=f"""{more}lookup: {{timeout: 10s, public_dns: {json.dumps(public)}}}
join_servers:
  suffixes: [joineuis.lora-alliance.org, "joineui.iotreg.net:8443"]
  services: {services}
""")

    def publicly_asked(self):
        return [line for line in self.named.text().splitlines() if ": query: " in line]

    def close(self):
        self.named.kill()
        self.fed.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    w = World(tmp_path_factory.mktemp("join_servers"))
    yield w
    w.close()


def look(world, config, joineui, code=0):
    return resolve(world.fed, config, "--joineui", joineui, code=code)[0]


def test_the_documents_example(world):
    got = look(world, world.write("[LWN, LWNS]"), EXAMPLE)
    assert got["result"] == "found" and got["tree"] == "joineuis.lora-alliance.org" and got["federation"] is None
    assert got["endpoints"] == ["192.0.2.1:443", "192.0.2.2:443", "[2001:db8::2]:443", "192.0.2.2:443", "[2001:db8::2]:443"]
    assert got["urls"] == ["http://server1.operator.com:443/"] + 2 * ["https://server2.operator.com/"] + 2 * ["http://server2.operator.com:443/"]
    assert got["tls_names"] == ["", "server2.operator.com", "server2.operator.com", "", ""]
    assert got["ca"] is got["certificate"] is got["key"] is got["tls_name"] is None  # nobody's certificates
    assert got["netid"] is None and 0 < got["ttl"] <= 200


def test_https_alone_unless_said_otherwise(world):
    got = look(world, world.write(), EXAMPLE)
    assert got["urls"] == 2 * ["https://server2.operator.com/"]
    got, said = resolve(world.fed, world.write("[LWN]"), "--joineui", HERE)
    assert got["result"] == "found" and got["endpoints"] == []
    assert "service" in got["reason"] and "service" in said


def test_the_second_tree_has_addresses_only(world):
    got = look(world, world.write(), PLAIN)
    assert got["tree"] == "joineui.iotreg.net"
    assert got["endpoints"] == ["192.0.2.66:8443", "[2001:db8::66]:8443"]
    assert got["tls_names"] == 2 * [".".join(reversed(PLAIN)) + ".joineui.iotreg.net"]


def test_unknown_everywhere(world):
    got = look(world, world.write(), ABSENT, code=7)
    assert got["result"] == "unknown" and 0 < got["ttl"] <= 60
    asked = "\n".join(world.publicly_asked())
    assert "f.f.0.0.0.0.0.0.0.1.e.5.0.0.0.0.joineui.iotreg.net" in asked and "fed.test" not in asked


def test_the_share_of_equal_servers(world):
    """Weights 10 and 90: both come first now and then, the other next, and priority 5 last."""
    config = world.write()
    orders = [tuple(look(world, config, MANY)["endpoints"]) for _ in range(24)]
    assert set(orders) <= {("192.0.2.12:8443", "192.0.2.11:8443", "192.0.2.1:8443"), ("192.0.2.11:8443", "192.0.2.12:8443", "192.0.2.1:8443")}
    assert orders.count(("192.0.2.12:8443", "192.0.2.11:8443", "192.0.2.1:8443")) >= 13  # less than that once in some 10^6 runs


def test_the_federations_own_come_first_and_stay_inside(world):
    before = len(world.publicly_asked())
    for joineui in (OURS, BOTH):  # BOTH is in a public tree as well
        got = look(world, world.write(), joineui)
        assert (got["federation"], got["tree"]) == ("fed.test", None)
        assert got["tls_name"] == ".".join(reversed(joineui)) + ".joineui.fed.test" and set(got["tls_names"]) == {got["tls_name"]}
        assert got["key"] == str(world.acme.key)
    assert resolve(world.fed, world.write(), "--joineui", EXAMPLE, "--fed", "fed.test", code=7)[0]["result"] == "unknown"
    assert len(world.publicly_asked()) == before  # nobody else heard of them


def test_a_block_of_the_federation(world):
    """Any JoinEUI of it: NAPTR, SRV and addresses in one answer, the servers in their order; http where it is taken."""
    got = look(world, world.write(), "70b3d57ed2abcdef")
    assert got["endpoints"] == ["192.0.2.21:8443", "[2001:db8::21]:8443", "192.0.2.22:8443"] and got["exchanges"] == 1
    assert set(got["tls_names"]) == {"f.e.d.c.b.a.2.d.e.7.5.d.3.b.0.7.joineui.fed.test"}
    assert all(url.startswith("https://e") for url in got["urls"])
    got = look(world, world.write("[LWN, LWNS]"), "70b3d57ed2000000")
    assert got["endpoints"][-1] == "192.0.2.23:8080" and got["urls"][-1].startswith("http://") and got["tls_names"][-1] == ""


def test_a_server_outside_the_zone(world):
    """Its address comes from public DNS, the name to prove from the federation; what is not in DNS is no server."""
    got = look(world, world.write(), OUTSIDE)
    assert (got["federation"], got["endpoints"], got["urls"]) == ("fed.test", ["127.0.0.1:8443"], ["https://js.operator.com:8443/"])
    assert got["tls_names"] == [".".join(reversed(OUTSIDE)) + ".joineui.fed.test"]
    plain = write_config(world.folder, world.fed, world.acme, "plain.yaml")  # no public DNS: the names, for who can resolve them
    got = look(world, plain, OUTSIDE)
    assert sorted(got["endpoints"]) == ["js.operator.com:8443", "nowhere.operator.com:8443"]


def test_a_public_tree_cannot_lead_into_the_federation(world):
    """Its records point to the names of a private Join Server: they are not asked for in public, and nothing is found."""
    got = look(world, world.write(), LOST)
    assert got["result"] == "found" and got["endpoints"] == [] and got["key"] is None
    assert "joineui.fed.test" not in "\n".join(world.publicly_asked())


def test_names_only_where_nobody_can_be_asked(world):
    """The first name server is dead, the second answers; with none that answers it is an error, and with the broker down too."""
    dead = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    assert look(world, world.write(servers=[dead, f"127.0.0.1:{world.named.port}"]), PLAIN)["result"] == "found"
    got = look(world, world.write(servers=[dead]), PLAIN, code=TEMPORARY)
    assert got["result"] == "no broker" and "public DNS" in got["reason"]


def test_a_dead_broker_is_not_replaced_by_public_names(world):
    config = world.write()
    broken = world.folder / "broken.yaml"
    broken.write_text(config.read_text().replace(f":{world.fed.port}/", f":{free_port()}/"))
    before = len(world.publicly_asked())
    assert look(world, broken, BOTH, code=TEMPORARY)["result"] == "no broker"
    assert len(world.publicly_asked()) == before


def openssl_server(port, chain, key, log):
    """Asks for a certificate and says in its log whose it got."""
    out = open(log, "wb")
    return subprocess.Popen([tool("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(chain), "-cert_chain", str(chain),
                             "-key", str(key), "-verify", "2", "-www"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)


def request(got):
    """What a program does with an answer: the first endpoint, its name, the CA and certificate where there are any."""
    host, port = got["endpoints"][0].rsplit(":", 1)
    context = ssl.create_default_context(cafile=got["ca"])
    if got["certificate"]:
        context.load_cert_chain(got["certificate"], got["key"])
    with socket.create_connection((host, int(port)), 10) as raw, context.wrap_socket(raw, server_hostname=got["tls_names"][0]) as tls:
        tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return tls.recv(65536)


def test_what_the_answer_says_connects(world):
    """The federation's Join Server proves its name; at the same place found in public it does not, and sees no certificate of ours."""
    log = world.folder / "s_server.log"
    server = openssl_server(world.js_port, world.js.chain, world.js.key, log)
    try:
        wait_until(lambda: b"ACCEPT" in log.read_bytes(), 15, "s_server")
        assert b"200 ok" in request(look(world, world.write(), OURS)).lower()
        wait_until(lambda: b"CN = acme" in log.read_bytes() or b"CN=acme" in log.read_bytes(), 10, "our certificate")
        got = look(world, world.write(), HERE)
        assert (got["endpoints"], got["urls"]) == ([f"127.0.0.1:{world.js_port}"], [f"https://js.operator.com:{world.js_port}/join"])
        with pytest.raises(ssl.SSLCertVerificationError):
            request(got)
        got["ca"] = str(world.fed.root)  # and a program that trusts too much still meets another name
        with pytest.raises(ssl.SSLCertVerificationError):
            request(got)
    finally:
        server.kill()
        server.wait()


def test_the_agent(world):
    """The same as JSON, and NAPTR by plain DNS for the federation's names alone."""
    port, admin = free_port(socket.SOCK_DGRAM), free_port()
    config = world.write(name="agent.yaml", more=f"listen: [{{address: 127.0.0.1, port: {port}}}]\nsocket: {world.folder}/agent.sock\n"
                                                 f"admin: {{address: 127.0.0.1, port: {admin}}}\n")
    agent = world.fed.daemon("fedroam-agent", "--config", config, log=world.folder / "agent.log")
    try:
        agent.wait_for("agent.ready")

        def get(path, status=200):
            done = subprocess.run([tool("curl"), "-s", "-w", "\n%{http_code}", "--unix-socket", f"{world.folder}/agent.sock",
                                   f"http://agent/v1/{path}"], capture_output=True, text=True, check=True)
            body, code = done.stdout.rsplit("\n", 1)
            assert int(code) == status, body
            return json.loads(body)

        got = get(f"joineuis/{EXAMPLE}")
        assert (got["tree"], got["federation"], got["key"]) == ("joineuis.lora-alliance.org", None, None)
        assert got["urls"] == 2 * ["https://server2.operator.com/"] and got["tls_names"] == 2 * ["server2.operator.com"]
        assert get(f"joineuis/{OURS}")["key"] == str(world.acme.key)
        assert get(f"joineuis/{ABSENT}", 404)["result"] == "unknown"
        assert get(f"joineuis/{EXAMPLE}?federation=fed.test", 404)["federation"] == "fed.test"

        def dig(name):
            return subprocess.run([tool("dig"), "@127.0.0.1", "-p", str(port), "+norec", name, "NAPTR"], capture_output=True, text=True,
                                  check=True).stdout

        assert '"LWNS"' in dig(".".join(reversed(OURS)) + ".joineui.fed.test")
        assert "status: REFUSED" in dig(f"{EXAMPLE_NAME}.joineuis.lora-alliance.org")
    finally:
        agent.stop()


def test_a_configuration_that_makes_no_sense(world):
    config = world.folder / "off.yaml"
    config.write_text(world.write().read_text().replace(", public_dns: [", ", hedge: 0, unknown_max: 10m}\n#"))
    _, said = resolve(world.fed, config, "--joineui", EXAMPLE, code=None)
    assert "public DNS, which is off" in said
