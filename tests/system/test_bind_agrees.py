"""BIND loads the exported zone; then both are asked for every name and every type.

The same RCODE, AA, Answer and Authority is what "like an ordinary server" means. ANY alone differs on purpose: the broker gives one
whole set of those that BIND gives (RFC 8482).
"""
import http.client
import itertools
import socket
import ssl
import subprocess

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest

from fed import Daemon, free_port, tool

NAMED = tool("named")
TYPES = ["A", "AAAA", "CNAME", "SOA", "NS", "TXT", "SRV", "TLSA", "NAPTR", "HINFO", "MX", "PTR", "CAA", "DS", "DNSKEY", "NSEC",
         "KEY", "SIG", "RRSIG", "SVCB", "HTTPS", "TYPE65280", "ANY"]
# Below joineui.<fed> are many names, because wildcards stand at each one between; these types tell what happens there.
JOIN_TYPES = ["A", "AAAA", "SRV", "NAPTR", "TXT", "CNAME", "NSEC", "ANY"]


class Named(Daemon):
    """Debian's named with the zone, on loopback."""

    def __init__(self, folder, zone, text):
        folder.mkdir()
        self.port = free_port()
        (folder / "zone").write_text(text)
        (folder / "named.conf").write_text(f"""
            options {{
                directory "{folder}"; pid-file none; session-keyfile none; managed-keys-directory "{folder}";
                listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
                recursion no; dnssec-validation no; notify no; allow-transfer {{ none; }};
            }};
            controls {{ }};
            zone "{zone}" {{ type primary; file "zone"; }};
        """)
        self.name, self.log = "named", folder / "named.log"
        self.out = open(self.log, "ab")
        # one thread: it is asked one question at a time
        self.process = subprocess.Popen([NAMED, "-g", "-n", "1", "-c", str(folder / "named.conf")], stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=self.out)
        self.wait_for("all zones loaded")
        assert f"zone {zone}/IN: loaded" in self.text(), self.text()
        self.sock = socket.create_connection(("127.0.0.1", self.port), 5)

    def ask(self, query):
        dns.query.send_tcp(self.sock, query)
        return dns.query.receive_tcp(self.sock)[0]

    def stop(self, seconds=15):
        self.sock.close()
        return super().stop(seconds)


class Asker:
    """One kept connection to the broker."""

    def __init__(self, fed, cert):
        context = ssl.create_default_context(cafile=str(fed.root))
        context.load_cert_chain(cert.chain, cert.key)
        self.http = http.client.HTTPConnection(fed.host, fed.port)
        raw = socket.create_connection(("127.0.0.1", fed.port), 10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)   # head and body are two writes
        self.http.sock = context.wrap_socket(raw, server_hostname=fed.host)

    def ask(self, query):
        self.http.request("POST", "/dns-query", query.to_wire(), {"content-type": "application/dns-message"})
        reply = self.http.getresponse()
        body = reply.read()
        assert reply.status == 200, (reply.status, body)
        message = dns.message.from_wire(body)
        ttls = [s.ttl for part in (message.answer, message.authority, message.additional) for s in part]
        if message.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            assert reply.headers["cache-control"] == f"private, max-age={min(ttls)}"
        else:
            assert reply.headers["cache-control"] == "no-store"
        return message

    def close(self):
        self.http.close()


def names_of(fed, text):
    """Every owner of the zone, every name between, and neighbours that are not there."""
    apex = dns.name.from_text(fed.name)
    zone = dns.zone.from_text(text, apex, relativize=False)
    names = set()
    for owner in zone.nodes:
        while owner.is_subdomain(apex):
            names.add(owner)
            owner = owner.parent()
    for owner in list(names):
        for label in ("x", "_tcp", "e1", "e9", "_ns", "0", "70b3d57ed00000ff", "0000ff", "_8005", "*"):
            names.add(dns.name.Name((label.encode(), *owner.labels)))
    for text in ("joineui", "f.2.joineui", "broker", "ca", "member", "acme.member", "1deveui", "70b3d57ed0000001",
                 "70b3d57ed0000003.deveui", "_fedroam._udp.000013.netid", "_fedroam._tcp.000014.netid", "_ns.000014.netid",
                 "000014.netid", "e1.000014.netid"):
        names.add(dns.name.from_text(text, apex))
    for text in ("other.test", "test", ".", "x" + fed.name, "70b3d57ed0000001.deveui.other.test"):
        names.add(dns.name.from_text(text))
    return sorted(names)


def section(rrsets):
    return {(s.name, s.ttl, s.rdtype, tuple(sorted(s.to_rdataset()))) for s in rrsets}


def rows(rrsets):
    return {(s.name, s.ttl, s.rdtype, rdata) for s in rrsets for rdata in s}


def differences(ours, theirs, query):
    """What differs between the two answers, as words."""
    kept = dns.flags.AA | dns.flags.TC | dns.flags.RD | dns.flags.RA | dns.flags.CD | dns.flags.QR
    found = []
    if ours.rcode() != theirs.rcode():
        found.append(f"rcode {dns.rcode.to_text(ours.rcode())} not {dns.rcode.to_text(theirs.rcode())}")
    if ours.flags & kept != theirs.flags & kept:
        found.append(f"flags {dns.flags.to_text(ours.flags)} not {dns.flags.to_text(theirs.flags)}")
    if ours.question != theirs.question or ours.question[0].name.labels != query.question[0].name.labels:
        found.append("question")
    if query.question[0].rdtype == dns.rdatatype.ANY and theirs.answer:
        if len(ours.answer) != 1 or not section(ours.answer) <= section(theirs.answer):
            found.append(f"answer {ours.answer} is no set of {theirs.answer}")
    elif rows(ours.answer) != rows(theirs.answer):
        found.append(f"answer {ours.answer} not {theirs.answer}")
    if rows(ours.authority) != rows(theirs.authority):
        found.append(f"authority {ours.authority} not {theirs.authority}")
    if ours.edns != theirs.edns:
        found.append(f"edns {ours.edns} not {theirs.edns}")
    return found


def compare(fed, cert, folder, names=None):
    """Asks both for all names and types; returns the names, and how many answers were compared."""
    text = fed.cli("zone", "export").stdout
    names = names or names_of(fed, text)
    named = Named(folder, fed.name, text)
    broker = Asker(fed, cert)
    wrong, n = [], 0
    try:
        kinds = lambda name: JOIN_TYPES if b"joineui" in name.labels else TYPES
        for name, rdtype in itertools.chain.from_iterable(itertools.product([name], kinds(name)) for name in names):
            if n % 3 == 2:   # any letter case
                name = dns.name.Name(tuple(label.upper() for label in name.labels))
            query = dns.message.make_query(name, rdtype, use_edns=0 if n % 2 else -1)
            query.id = n % 65536
            for what in differences(broker.ask(query), named.ask(query), query):
                wrong.append(f"{name} {rdtype}: {what}")
            n += 1
    finally:
        broker.close()
        named.stop()
    assert not wrong, f"{len(wrong)} of {n} answers differ:\n" + "\n".join(wrong[:40])
    return names, n


def test_every_name_and_type(fed, tmp_path):
    fed.member("acme", "000013", "192.0.2.10:8005", "[2001:db8::a]:8006", "192.0.2.11:8005")
    fed.member("umbra", "000014", "[2001:db8::14]:8005")
    fed.member("void", "00002a")
    fed.devices("000013", ["70b3d57ed0000001", "70b3d57ed0000002"])
    fed.devices("000014", ["70b3d57ed0000003"])
    fed.devices("00002a", ["70b3d57ed0000004"])
    fed.cli("joineui", "add", "00005e100000002f", "--member", "umbra", "--server", "https://192.0.2.99:8443,also=2001:db8::99")
    # a block around it, and one more inside: names between them, where wildcards stand again
    fed.cli("joineui", "add", "00005e1000000000/48", "--member", "umbra", "--server", "https://192.0.2.98",
            "--server", "https://js.umbra.example:8443,priority=1,weight=3", "--server", "http://[2001:db8::98]")
    fed.cli("joineui", "add", "00005e1000000100/56", "--member", "umbra", "--server", "http://192.0.2.96")
    acme = fed.cert("doh", member="acme")
    fed.cert("ns", member="acme", netid="000013")
    fed.cert("ns", member="acme", netid="000013", folder=fed.folder / "second")
    fed.start_broker()
    names, n = compare(fed, acme, tmp_path / "named-1")
    assert n > 1000

    # suspended: the same names again, gone from both
    fed.cli("member", "suspend", "umbra", "--yes")
    compare(fed, acme, tmp_path / "named-2", names)


def test_an_empty_zone(fed, tmp_path):
    fed.member("acme", "000013")
    acme = fed.cert("doh", member="acme")
    fed.start_broker()
    compare(fed, acme, tmp_path / "named")


@pytest.mark.parametrize("change,rcode", [
    (lambda m: m.question.clear(), "FORMERR"),
    (lambda m: m.set_opcode(dns.opcode.STATUS), "NOTIMP"),
])
def test_odd_messages_get_binds_rcode(shared, tmp_path, change, rcode):
    query = dns.message.make_query("fed.test", "SOA")
    change(query)
    named = Named(tmp_path / "named", "fed.test", shared.cli("zone", "export").stdout)
    broker = Asker(shared, shared.acme)
    try:
        ours, theirs = broker.ask(query), named.ask(query)
        assert dns.rcode.to_text(ours.rcode()) == dns.rcode.to_text(theirs.rcode()) == rcode
    finally:
        broker.close()
        named.stop()


@pytest.mark.parametrize("rdclass", ["CH", "HS"])
def test_other_classes_are_refused_by_both(shared, tmp_path, rdclass):
    query = dns.message.make_query("fed.test", "A", rdclass)
    named = Named(tmp_path / "named", "fed.test", shared.cli("zone", "export").stdout)
    broker = Asker(shared, shared.acme)
    try:
        assert broker.ask(query).rcode() == named.ask(query).rcode() == dns.rcode.REFUSED
    finally:
        broker.close()
        named.stop()
