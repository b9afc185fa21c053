"""What a member may use, with the real broker: unknown devices, queries, connections; and what over it looks like."""
import ssl
import socket

import dns.message
import dns.rcode
import pytest

from fed import Federation, wait_until

KNOWN = "70b3d57ed0000001"
BUDGETS = {"unknown": "100000", "misses": "100", "queries": "20000", "connections": "1000"}


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    fed = Federation(tmp_path_factory.mktemp("fed"), workers=2)
    fed.init()
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.member("umbra", "000014", "127.0.0.2:8005")
    fed.devices("000013", [KNOWN])
    fed.acme, fed.umbra = fed.cert("doh", member="acme"), fed.cert("doh", member="umbra")
    fed.start_broker()
    yield fed
    fed.stop()


@pytest.fixture
def fed(two):
    """The same, with unlimited budgets but for what a test sets."""
    for key in BUDGETS:
        two.cli("policy", "set", f"budget.{key}", "0")
    return two


class Client:
    """One HTTP/1.1 connection with a member's certificate."""

    def __init__(self, fed, cert):
        context = ssl.create_default_context(cafile=str(fed.root))
        context.load_cert_chain(str(cert.chain), str(cert.key))
        raw = socket.create_connection(("127.0.0.1", fed.port), timeout=10)
        self.socket = context.wrap_socket(raw, server_hostname=fed.host)
        self.file = self.socket.makefile("rb")
        self.host = fed.host

    def ask(self, eui, name=None):
        """Status and fields."""
        wire = dns.message.make_query(name or f"{eui}.deveui.fed.test", "A").to_wire()
        self.socket.sendall(f"POST /dns-query HTTP/1.1\r\nhost: {self.host}\r\ncontent-type: application/dns-message\r\n"
                            f"content-length: {len(wire)}\r\n\r\n".encode() + wire)
        status = int(self.file.readline().split()[1])
        fields = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(":")
            fields[name.lower()] = value.strip()
        body = self.file.read(int(fields.get("content-length", 0)))
        self.rcode = dns.message.from_wire(body).rcode() if status == 200 else None
        return status, fields

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def client(fed):
    clients = []

    def connect(cert):
        clients.append(Client(fed, cert))
        return clients[-1]
    yield connect
    for each in clients:
        each.close()


def stranger(i):
    return f"{i * 0x9e3779b97f4a7c15 % 2**64:016x}"


def over(fed, budget):
    return fed.metrics()[f'fedroam_over_budget_total{{federation="fed.test",budget="{budget}"}}']


def log_lines(fed, *words):
    return [line for line in fed.broker.text().splitlines() if all(word in line for word in words)]


def test_the_defaults(tmp_path):
    fed = Federation(tmp_path)
    fed.init()
    for key, value in BUDGETS.items():
        assert fed.json("policy", "show", f"budget.{key}")[0]["value"] == int(value)


def test_misses_beyond_the_second_are_refused_and_hits_wait_with_them(fed, client):
    fed.cli("policy", "set", "budget.misses", "5")
    acme, umbra, before = client(fed.acme), client(fed.umbra), over(fed, "misses")
    answers = [acme.ask(stranger(1000 + i)) for i in range(12)]
    assert [status for status, _ in answers[:5]] == [200] * 5
    refused = [fields for status, fields in answers if status == 429]
    assert refused and all(fields["retry-after"] == "1" and fields["cache-control"] == "no-store" for fields in refused)
    # whether a device is known cannot be told from a refusal
    while acme.ask(stranger(1))[0] == 200:
        pass
    assert acme.ask(KNOWN)[0] == 429
    # what is no question about a device goes on, and so does everybody else
    assert acme.ask(None, "000013.netid.fed.test")[0] == 200
    assert umbra.ask(KNOWN)[0] == 200 and umbra.ask(stranger(2))[0] == 200
    assert over(fed, "misses") > before
    assert len(log_lines(fed, "budget.exceeded", "member=acme", "budget=misses")) == 1
    wait_until(lambda: acme.ask(KNOWN)[0] == 200, 5, "the budget to come back")


def test_hits_cost_nothing(fed, client):
    fed.cli("policy", "set", "budget.misses", "5")
    fed.cli("policy", "set", "budget.unknown", "5")
    umbra = client(fed.umbra)
    for _ in range(50):
        assert umbra.ask(KNOWN)[0] == 200


def test_a_stranger_is_counted_once(fed, client):
    fed.cli("policy", "set", "budget.unknown", "60")
    acme, umbra = client(fed.acme), client(fed.umbra)
    name = 'fedroam_member_unknown_devices{federation="fed.test",member="umbra"}'
    before = fed.metrics().get(name, 0)
    for i in range(200):
        assert umbra.ask(stranger(10 + i % 4))[0] == 200
    assert fed.metrics()[name] <= before + 4

    statuses = [acme.ask(stranger(5000 + i))[0] for i in range(100)]
    assert statuses[0] == 200 or over(fed, "unknown") > 0
    assert statuses[-1] == 429
    status, fields = acme.ask(KNOWN)
    assert status == 429 and 0 < int(fields["retry-after"]) <= 86400
    assert umbra.ask(KNOWN)[0] == 200
    assert log_lines(fed, "budget.exceeded", "member=acme", "budget=unknown", "limit=60")
    fed.cli("policy", "set", "budget.unknown", "100000")  # holds at once
    assert acme.ask(KNOWN)[0] == 200


def test_queries_are_limited_whatever_they_ask(fed, client):
    fed.cli("policy", "set", "budget.queries", "20")
    acme = client(fed.acme)
    statuses = [acme.ask(None, "000013.netid.fed.test")[0] for _ in range(60)]
    assert 429 in statuses and 15 <= statuses.count(200) < 60
    assert over(fed, "queries") > 0
    wait_until(lambda: acme.ask(KNOWN)[0] == 200, 5, "the budget to come back")


def test_connections_are_counted_over_all_workers(fed, client):
    name = 'fedroam_member_connections{federation="fed.test",member="acme"}'
    wait_until(lambda: fed.metrics().get(name, 0) == 0, 10, "earlier connections to be gone")
    fed.cli("policy", "set", "budget.connections", "4")
    kept = [client(fed.acme) for _ in range(4)]
    assert [c.ask(KNOWN)[0] for c in kept] == [200] * 4
    assert fed.metrics()[name] == 4
    late = client(fed.acme)
    status, fields = late.ask(KNOWN)
    assert status == 429 and fields["retry-after"] == "10" and fields["connection"] == "close"
    assert client(fed.umbra).ask(KNOWN)[0] == 200
    kept[0].close()
    wait_until(lambda: fed.metrics()[name] == 3, 5, "the place to come back")
    assert client(fed.acme).ask(KNOWN)[0] == 200


def test_a_walk_raises_an_alarm(fed, client):
    umbra = client(fed.umbra)
    walks = 'fedroam_walks_total{federation="fed.test"}'
    for i in range(200):
        umbra.ask(stranger(100000 + i))
    before = fed.metrics()[walks]
    for i in range(300):
        assert umbra.ask(f"{0x0018b20000000000 + 3 * i:016x}")[0] == 200
    assert fed.metrics()[walks] > before
    line, = log_lines(fed, "budget.walk")
    assert "member=umbra" in line and "0018b20000000" not in line


def test_kdig_is_told_by_http_not_by_dns(fed):
    fed.cli("policy", "set", "budget.unknown", "1")
    fed.kdig(f"{stranger(7)}.deveui.fed.test", "A", fed.umbra)
    wait_until(lambda: fed.query_raw(f"{KNOWN}.deveui.fed.test", "A", fed.umbra)[0] == 429, 5, "429")
