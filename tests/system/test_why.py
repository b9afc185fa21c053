"""`fedroam why`: each thing that can be wrong on a device's way, one at a time, as member and as operator."""
import datetime
import email.utils
import json
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fed import Federation, free_port
from https_server import Server

DEVICE, ABSENT = "70b3d57ed0000001", "70b3d57ed00000ff"


class World:
    """A federation with a home network acme (000013) whose server runs, and a member umbra that looks."""

    def __init__(self, folder):
        self.fed = Federation(folder).init()
        self.endpoint = free_port()
        self.fed.member("acme", "000013", f"127.0.0.1:{self.endpoint}")
        self.fed.member("umbra", "000014", "127.0.0.1:9")
        self.fed.devices("000013", [DEVICE])
        self.ns13 = self.fed.cert("ns", member="acme", netid="000013")
        self.umbra = self.fed.cert("ns", member="umbra", netid="000014")
        self.fed.start_broker()
        self.home = None
        self.start_home(self.ns13)
        self.config = folder / "resolver.yaml"

    def start_home(self, cert):
        if self.home:
            self.home.close()
        self.home = Server(cert.chain, cert.key, self.fed.root, port=self.endpoint)

    def write(self, url=None, addresses="[127.0.0.1]", chain=None, key=None, ca=None, brokers=None):
        broker = f"broker: {url or self.fed.url}\n    addresses: {addresses}"
        if brokers:
            broker = "broker:\n" + "".join(f"      - {b}\n" for b in brokers).rstrip("\n")
        self.config.write_text(f"federations:\n  - name: fed.test\n    {broker}\n    ca: {ca or self.fed.root}\n"
                               f"    certificate: {chain or self.umbra.chain}\n    key: {key or self.umbra.key}\n"
                               "lookup: {timeout: 10s, broker_timeout: 5s}\n")

    def why(self, *args, code=0, eui=DEVICE):
        """{step: last of that name}, and the whole."""
        done = self.fed.run("why", "--config", self.config, "-o", "json", eui, *args, code=code)
        return check(json.loads(done.stdout), code)

    def why_for(self, member="umbra", code=0, eui=DEVICE):
        done = self.fed.cli("-o", "json", "why", eui, "--for", member, code=code)
        return check(json.loads(done.stdout), code)

    def stop(self):
        self.home.close()
        self.fed.stop()


def check(got, code):
    steps = got["steps"]
    assert got["result"] == {0: "right", 2: "doubt"}.get(code, "wrong"), got
    assert [s["state"] for s in steps].count("wrong") == (0 if code in (0, 2) else 1)
    if code not in (0, 2):
        assert steps[-1]["state"] == "wrong", "the walk stops there"
    return {s["step"]: s for s in steps}, got


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path)
    w.write()
    yield w
    w.stop()


# --- as a member ---

def test_all_is_well(world):
    steps, got = world.why()
    assert [s["step"] for s in got["steps"]] == ["certificate", "broker", "clock", "answer", "endpoint"]
    assert got["deveui"] == DEVICE
    assert "000014.netid.fed.test" in steps["certificate"]["seen"]
    assert "HTTP/2 200" in steps["broker"]["seen"] and f"127.0.0.1:{world.fed.port}" in steps["broker"]["seen"]
    assert "network 000013 of fed.test" in steps["answer"]["seen"]
    assert f"127.0.0.1:{world.endpoint} is 000013.netid.fed.test (HTTP 200)" == steps["endpoint"]["seen"]
    text = world.fed.run("why", "--config", world.config, DEVICE).stdout
    assert [line.split()[0] for line in text.splitlines()] == ["ok"] * 5


def test_text_says_what_to_do(world):
    world.home.close()
    world.home = Server(world.ns13.chain, world.ns13.key, world.fed.root)  # elsewhere
    lines = world.fed.run("why", "--config", world.config, DEVICE, code=10).stdout.splitlines()
    assert lines[-2].startswith("WRONG  endpoint     cannot connect to 000013.netid.fed.test")
    assert "→ the home network's server does not run" in lines[-1]


def test_no_such_file(world):
    world.write(chain="/nowhere/me.pem")
    done = world.fed.run("why", "--config", world.config, "-o", "json", DEVICE, code=None)
    last = json.loads(done.stdout)["steps"][-1]
    assert done.returncode not in (0, 2) and last["step"] == "certificate" and "/nowhere/me.pem" in last["seen"]


def test_the_key_of_another_certificate(world):
    world.write(key=world.ns13.key)
    done = world.fed.run("why", "--config", world.config, "-o", "json", DEVICE, code=None)
    last = json.loads(done.stdout)["steps"][-1]
    assert done.returncode not in (0, 2) and last["step"] == "certificate" and last["state"] == "wrong"
    assert "key" in last["seen"]


def make_identity(folder, from_s, to_s, name="umbra.member.fed.test"):
    """A CA and a leaf of it with these dates, relative to now."""
    now = datetime.datetime.utcnow()
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "other root")])

    def builder(subject, public, start, end):
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now + datetime.timedelta(seconds=start))
                .not_valid_after(now + datetime.timedelta(seconds=end))
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False))
    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                           "encipher_only", "decipher_only"), False)
    root = (builder(issuer, ca_key.public_key(), -86400 * 400, 86400 * 400)
            .add_extension(x509.BasicConstraints(True, None), True)
            .add_extension(x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **usage), True)
            .sign(ca_key, hashes.SHA256()))
    leaf = (builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "umbra")]), key.public_key(), from_s, to_s)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
            .add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False, **usage), True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .sign(ca_key, hashes.SHA256()))
    folder.mkdir(exist_ok=True)
    paths = {name: folder / f"{name}.pem" for name in ("chain", "key", "ca")}
    paths["chain"].write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    paths["ca"].write_bytes(root.public_bytes(serialization.Encoding.PEM))
    paths["key"].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
    paths["key"].chmod(0o600)
    return paths


@pytest.mark.parametrize("dates, code, said, todo", [
    ((-86400, -3600), 8, "was valid until", "fedroam cert request"),
    ((3600, 86400), 10, "is valid from", "timedatectl"),
])
def test_the_dates_of_the_certificate(world, tmp_path, dates, code, said, todo):
    world.write(**make_identity(tmp_path / "id", *dates))
    step = world.why(code=code)[0]["certificate"]
    assert said in step["seen"] and todo in step["todo"]


def test_a_certificate_of_another_federation(world, tmp_path):
    other = make_identity(tmp_path / "id", -3600, 86400)
    world.write(chain=other["chain"], key=other["key"])
    step = world.why(code=78)[0]["certificate"]
    assert "does not lead to" in step["seen"] and "fed.test" in step["todo"]


def test_no_broker_there(world):
    port = free_port()
    world.write(url=f"https://broker.fed.test:{port}/dns-query")
    step = world.why(code=10)[0]["broker"]
    assert "cannot connect to broker.fed.test" in step["seen"] and str(port) in step["todo"]


def test_one_broker_of_two(world):
    port = free_port()
    world.write(brokers=[f"{{url: 'https://broker.fed.test:{port}/dns-query', addresses: [127.0.0.1]}}",
                         f"{{url: '{world.fed.url}', addresses: [127.0.0.1]}}"])
    steps, got = world.why(code=2)
    doubt = [s for s in got["steps"] if s["state"] == "doubt"]
    assert len(doubt) == 1 and doubt[0]["step"] == "broker" and doubt[0]["todo"]
    assert steps["endpoint"]["state"] == "right"


def test_the_wrong_path_and_the_wrong_name(world):
    world.write(url=f"https://broker.fed.test:{world.fed.port}/dns")
    assert "HTTP 404" in world.why(code=78)[0]["broker"]["seen"]
    world.write(url=f"https://broker.fed.example:{world.fed.port}/dns-query")
    assert "refused the connection" in world.why(code=4)[0]["broker"]["seen"]  # no such federation there
    server = fake_broker(world)
    try:
        world.write(url=f"https://broker.fed.example:{server.port}/dns-query")
        step = world.why(code=78)[0]["broker"]
        assert "is not for the name broker.fed.example" in step["seen"] and "addresses:" in step["todo"]
    finally:
        server.close()


def test_a_broker_of_another_ca(world, tmp_path):
    other = make_identity(tmp_path / "id", -3600, 86400, name="broker.fed.test")
    server = Server(other["chain"], other["key"], world.fed.root)
    try:
        world.write(url=f"https://broker.fed.test:{server.port}/dns-query")
        step = world.why(code=4)[0]["broker"]
        assert "is not trusted" in step["seen"] and "root.pem" in step["todo"]
    finally:
        server.close()


def fake_broker(world, status=200, skew=0, fields=None):
    """A broker with the real one's certificate, whose answers and clock are ours."""
    def reply(handler):
        query = dns.message.from_wire(handler.data)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        answer.set_rcode(dns.rcode.NXDOMAIN)
        answer.authority.append(dns.rrset.from_text("fed.test.", 60, "IN", "SOA", "broker.fed.test. noc.fed.test. 1 2 3 4 60"))
        date = email.utils.formatdate(time.time() + skew, usegmt=True)
        return status, {"Date": date, "Content-Type": "application/dns-message", **(fields or {})}, answer.to_wire()
    state = world.fed.state
    server = Server(state / "server.chain.pem", state / "server.key", world.fed.root, reply)
    world.write(url=f"https://broker.fed.test:{server.port}/dns-query")
    return server


@pytest.mark.parametrize("skew, said", [(-7200, "ahead of broker.fed.test's"), (7200, "behind broker.fed.test's")])
def test_the_clock(world, skew, said):
    server = fake_broker(world, skew=skew)
    try:
        step = world.why(code=10)[0]["clock"]
        assert said in step["seen"] and "timedatectl" in step["todo"]
        seconds = int(step["seen"].split(" is ")[1].split()[0])
        assert 7190 <= seconds <= 7210
    finally:
        server.close()


@pytest.mark.parametrize("status, code, todo", [(503, 10, "tell its operator"), (429, 10, "asked too much"),
                                                (403, 5, "fedroam why EUI --for MEMBER")])
def test_a_broker_that_says_no(world, status, code, todo):
    server = fake_broker(world, status=status)
    try:
        step = world.why(code=code)[0]["broker"]
        assert f"HTTP {status}" in step["seen"] and todo in step["todo"]
    finally:
        server.close()


def test_a_suspended_member(world):
    world.fed.cli("member", "suspend", "umbra", "--yes")
    step = world.why(code=5)[0]["broker"]
    assert "403" in step["seen"] and "--for" in step["todo"]
    steps, _ = world.why_for(code=5)
    assert steps["member"]["seen"] == "umbra is suspended" and steps["member"]["todo"] == "fedroam member resume umbra"


def test_an_unknown_device(world):
    step = world.why(code=7, eui=ABSENT)[0]["answer"]
    assert "is unknown to fed.test" in step["seen"] and f"fedroam why {ABSENT} --for" in step["todo"]
    steps, _ = world.why_for(code=7, eui=ABSENT)
    assert steps["device"]["seen"] == f"nobody publishes {ABSENT}" and "fedroam device add" in steps["device"]["todo"]


def test_no_endpoint(world):
    world.fed.cli("member", "add", "acorn", "--netid", "000017")
    world.fed.devices("000017", ["70b3d57ed0000017"])
    world.fed.cert("ns", member="acorn", netid="000017")
    step = world.why(code=7, eui="70b3d57ed0000017")[0]["endpoint"]
    assert "fedroam network set" in step["todo"]
    steps, _ = world.why_for(code=7, eui="70b3d57ed0000017")
    assert steps["endpoint"]["todo"] == "fedroam network set 000017 --endpoint ADDRESS:PORT"


def test_an_endpoint_that_does_not_listen_beside_one_that_does(world):
    dead = free_port()
    world.fed.cli("network", "set", "000013", "--endpoint", f"127.0.0.1:{dead}", "--endpoint", f"127.0.0.1:{world.endpoint}")
    _, got = world.why(code=2)
    assert [(s["step"], s["state"]) for s in got["steps"]][-2:] == [("endpoint", "right"), ("endpoint", "doubt")]


def test_an_endpoint_with_anothers_certificate(world, tmp_path):
    world.start_home(world.umbra)
    step = world.why(code=4)[0]["endpoint"]
    assert "000013.netid.fed.test" in step["seen"] and "profile ns" in step["todo"]


def test_an_endpoint_that_does_not_take_ours(world, tmp_path):
    other = make_identity(tmp_path / "id", -3600, 86400)
    world.home.close()
    world.home = Server(world.ns13.chain, world.ns13.key, other["ca"], port=world.endpoint)
    step = world.why(code=4)[0]["endpoint"]
    assert "your certificate was refused" in step["seen"] and "profile ns" in step["todo"]


def test_an_endpoint_whose_certificate_was_revoked(world, tmp_path):
    old = world.ns13
    world.ns13 = world.fed.cert("ns", member="acme", netid="000013", folder=tmp_path / "new")
    world.fed.cli("cert", "revoke", old.serial, "--yes")
    step = world.why(code=8)[0]["endpoint"]
    assert "none of those that 000013.netid.fed.test publishes" in step["seen"]
    world.start_home(world.ns13)
    world.why()


def test_command_lines(world):
    world.fed.run("why", code=64)
    world.fed.run("why", "70b3", code=64)
    world.fed.run("why", "--config", world.config, "--for", "umbra", DEVICE, code=64)
    assert "no federation two.test" in world.fed.run("why", "--config", world.config, "--fed", "two.test", DEVICE, code=64).stderr
    assert "nowhere.yaml" in world.fed.run("why", "--config", "/nowhere.yaml", DEVICE, code=None).stderr


# --- as the operator ---

def test_for_a_member_all_is_well(world):
    steps, got = world.why_for()
    assert [s["step"] for s in got["steps"]] == ["member", "certificate", "budget", "lookups", "device", "visibility",
                                                 "endpoint", "keys"]
    assert steps["device"]["seen"] == f"{DEVICE} is published by acme in network 000013"
    assert steps["endpoint"]["seen"] == f"127.0.0.1:{world.endpoint}"
    assert steps["keys"]["seen"] == "network 000013 may show 1 key"


def test_for_nobody(world):
    assert world.why_for("nobody", code=7)[0]["member"]["seen"] == "there is no member nobody"


def test_for_a_member_without_a_certificate_to_ask_with(world):
    world.fed.cli("cert", "set", world.umbra.serial, "--right", "roam", "--yes")
    step = world.why_for(code=5)[0]["certificate"]
    assert "1 issued, of which 0 revoked, 0 over, 1 without the right lookup" in step["seen"]
    world.fed.cli("cert", "revoke", world.umbra.serial, "--yes")
    step = world.why_for(code=5)[0]["certificate"]
    assert "1 issued, of which 1 revoked" in step["seen"] and "fedroam cert issue --member umbra" in step["todo"]


def test_for_a_member_when_the_home_is_suspended(world):
    world.fed.cli("member", "suspend", "acme", "--yes")
    step = world.why_for(code=5)[0]["visibility"]
    assert step["seen"] == "acme, who holds network 000013, is not active" and step["todo"] == "fedroam member resume acme"


def test_for_a_member_when_the_device_is_hidden(world):
    world.fed.cli("device", "set", "--hidden", "yes", DEVICE, "--yes")
    step = world.why_for(code=5)[0]["visibility"]
    assert "hidden" in step["seen"] and step["todo"] == f"fedroam device set --hidden no {DEVICE}"
    world.why(code=7)


def test_for_a_member_that_is_not_granted(world):
    world.fed.cli("policy", "set", "visibility", "granted", "--yes")
    step = world.why_for(code=5)[0]["visibility"]
    assert step["seen"] == "acme does not let umbra see its devices"
    world.fed.cli(*step["todo"].split()[1:], "--yes")  # what to type is what helps
    world.why_for()
    world.why()


def test_for_a_member_when_the_home_has_no_certificate(world):
    world.fed.cli("cert", "revoke", world.ns13.serial, "--yes")
    step = world.why_for(code=8)[0]["keys"]
    assert step["todo"] == "fedroam cert issue --member acme --profile ns --netid 000013"
