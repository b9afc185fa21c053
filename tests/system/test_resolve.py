"""`fedroam resolve`: what a member's administrator sees, with the real broker."""
import hashlib
import json
import socket
import subprocess

import pytest

from fed import Daemon, Federation, free_port, tool

DEVICE, ABSENT = "70b3d57ed0000001", "70b3d57ed00000ff"


def write_config(folder, fed, cert, name="resolver.yaml", url=None, root=None, more=""):
    path = folder / name
    path.write_text(f"federations:\n  - name: {fed.name}\n    broker: {url or fed.url}\n    addresses: [127.0.0.1]\n"
                    f"    ca: {root or fed.root}\n    certificate: {cert.chain}\n    key: {cert.key}\n{more}")
    return path


def resolve(fed, config, *args, code=0):
    """The JSON record and what was said on stderr."""
    done = fed.run("resolve", "--config", config, "-o", "json", *args, code=code)
    return json.loads(done.stdout) if done.stdout else None, done.stderr


@pytest.fixture
def config(shared, tmp_path):
    return write_config(tmp_path, shared, shared.acme)


def test_a_device(shared, config):
    got, said = resolve(shared, config, DEVICE)
    assert said == ""
    assert got["result"] == "found" and got["freshness"] == "fresh"
    assert (got["id"], got["federation"], got["netid"]) == (DEVICE, "fed.test", "000013")
    assert got["endpoints"] == ["127.0.0.1:8005", "[::1]:8006"]
    assert got["hosts"] == ["e1.000013.netid.fed.test", "e2.000013.netid.fed.test"]
    assert got["tls_name"] == "000013.netid.fed.test"
    assert len(got["pins"]) == 1 and len(got["pins"][0]) == 64  # its one ns certificate
    assert (got["ca"], got["certificate"], got["key"]) == tuple(map(str, (shared.root, shared.acme.chain, shared.acme.key)))
    assert 0 < got["ttl"] <= 60
    assert got["exchanges"] == 1 and got["ms"] >= 0
    assert got["reason"] is None and got["http_status"] is None


def test_the_pin_is_the_key_of_the_network_servers_certificate(shared, config):
    public = subprocess.run(["openssl", "x509", "-in", shared.ns13.chain, "-noout", "-pubkey"], capture_output=True, check=True)
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public.stdout, capture_output=True, check=True)
    assert resolve(shared, config, DEVICE)[0]["pins"] == [hashlib.sha256(der.stdout).hexdigest()]


def test_text_for_people(shared, config):
    out = shared.run("resolve", "--config", config, DEVICE.upper()).stdout
    assert [line.split() for line in out.splitlines() if line.startswith("netid")] == [["netid", "000013"]]
    assert "127.0.0.1:8005" in out


@pytest.mark.parametrize("text", ["000014", "0x000014", "00-00-14"])
def test_a_network(shared, config, text):
    got, _ = resolve(shared, config, "--netid", text)
    assert (got["id"], got["netid"], got["endpoints"]) == ("000014", "000014", ["127.0.0.2:8005"])


@pytest.mark.parametrize("args", [[ABSENT], ["--netid", "000015"], ["--joineui", "70b3d57ed1000000"]])
def test_the_unknown(shared, config, args):
    got, _ = resolve(shared, config, *args, code=7)
    assert got["result"] == "unknown" and got["netid"] is None and got["endpoints"] == []
    assert 0 < got["ttl"] <= 60


@pytest.mark.parametrize("args", [[], [DEVICE, "--netid", "000013"], ["xyz"], ["--netid", "13"], [DEVICE, "--timeout", "2"],
                                  [DEVICE, "--fed", "none.test"]])
def test_wrong_command_lines(shared, config, args):
    got, said = resolve(shared, config, *args, code=64)
    assert got is None and said


def test_a_certificate_of_another_authority_is_refused(shared, tmp_path):
    other = Federation(tmp_path, "fed.test")
    other.init()
    other.member("acme", "000013", "127.0.0.1:8005")
    stranger = other.cert("doh", member="acme")
    got, said = resolve(shared, write_config(tmp_path, shared, stranger), DEVICE, code=4)
    assert got["result"] == "refused" and got["tls_alert"], got
    assert got["tls_alert"].replace("_", " ") in said.replace("_", " ")


def test_a_broker_of_another_authority_is_not_trusted(shared, tmp_path):
    other = Federation(tmp_path, "fed.test")
    other.init()
    got, said = resolve(shared, write_config(tmp_path, shared, shared.acme, root=other.root), DEVICE, code=10)
    assert got["result"] == "no broker" and "certificate" in said, said


def test_a_broker_with_another_name_is_not_trusted(shared, tmp_path):
    url = f"https://other.fed.test:{shared.port}/dns-query"
    got, said = resolve(shared, write_config(tmp_path, shared, shared.acme, url=url), DEVICE, code=None)
    assert got["result"] in ("no broker", "refused") and got["netid"] is None and said, got


def test_no_broker_there(shared, tmp_path):
    url = f"https://{shared.host}:{free_port()}/dns-query"
    got, said = resolve(shared, write_config(tmp_path, shared, shared.acme, url=url), DEVICE, code=10)
    assert got["result"] == "no broker" and "refused" in said, said


def test_a_broker_that_does_not_speak(shared, tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"https://{shared.host}:{listener.getsockname()[1]}/dns-query"
        got, _ = resolve(shared, write_config(tmp_path, shared, shared.acme, url=url), DEVICE, "--timeout", "300ms", code=10)
    assert got["result"] == "no broker" and 250 <= got["ms"] <= 2000


def test_the_second_broker_is_asked(shared, tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(f"federations:\n  - name: fed.test\n    broker:\n"
                    f"      - {{url: 'https://{shared.host}:{free_port()}/dns-query', addresses: [127.0.0.1]}}\n"
                    f"      - {{url: '{shared.url}', addresses: ['127.0.0.1']}}\n"
                    f"    ca: {shared.root}\n    certificate: {shared.acme.chain}\n    key: {shared.acme.key}\n")
    got, _ = resolve(shared, path, DEVICE)
    assert got["result"] == "found" and got["exchanges"] == 2


def test_a_wrong_path_is_said_so(shared, tmp_path):
    url = f"https://{shared.host}:{shared.port}/dns"
    got, said = resolve(shared, write_config(tmp_path, shared, shared.acme, url=url), DEVICE, code=69)
    assert got["http_status"] == 404 and "path" in said


def test_unusable_files(shared, tmp_path):
    missing = write_config(tmp_path, shared, shared.acme, root=tmp_path / "none.pem")
    _, said = resolve(shared, missing, DEVICE, code=78)
    assert "none.pem" in said
    open_key = tmp_path / "open.key"
    open_key.write_bytes(shared.acme.key.read_bytes())
    open_key.chmod(0o644)

    class Loose:
        chain, key = shared.acme.chain, open_key
    _, said = resolve(shared, write_config(tmp_path, shared, Loose), DEVICE, code=78)
    assert "open.key" in said


def test_wrong_configurations(shared, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("federations:\n  - name: fed.test\n    brokers: https://b.fed.test/dns-query\n")
    done = shared.run("resolve", "--config", path, DEVICE, code=78)
    assert "wrong.yaml:3" in done.stderr and "broker" in done.stderr
    done = shared.run("resolve", "--config", tmp_path / "none.yaml", DEVICE, code=None)
    assert done.returncode not in (0, 70) and "none.yaml" in done.stderr


def test_a_join_server(fed, tmp_path):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.cli("joineui", "add", "70b3d57ed1000000", "--member", "acme", "--server", "https://127.0.0.1:9000,also=::1")
    cert = fed.cert("doh", member="acme")
    fed.start_broker()
    got, _ = resolve(fed, write_config(tmp_path, fed, cert), "--joineui", "70B3D57ED1000000")
    assert (got["result"], got["id"], got["netid"]) == ("found", "70b3d57ed1000000", None)
    assert got["endpoints"] == ["127.0.0.1:9000", "[::1]:9000"] and got["exchanges"] == 1
    assert got["tls_name"] == "0.0.0.0.0.0.1.d.e.7.5.d.3.b.0.7.joineui.fed.test"


def test_a_revoked_certificate(fed, tmp_path):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", [DEVICE])
    cert = fed.cert("doh", member="acme")
    fed.start_broker()
    path = write_config(tmp_path, fed, cert)
    assert resolve(fed, path, DEVICE)[0]["result"] == "found"
    fed.cli("cert", "revoke", cert.serial, "--reason", "test")
    got, said = resolve(fed, path, DEVICE, code=5)
    assert got["result"] == "refused" and got["http_status"] == 403 and "403" in said


def test_a_suspended_member(fed, tmp_path):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", [DEVICE])
    cert = fed.cert("doh", member="acme")
    fed.start_broker()
    path = write_config(tmp_path, fed, cert)
    fed.cli("member", "suspend", "acme", "--reason", "test")
    got, _ = resolve(fed, path, DEVICE, code=5)
    assert got["result"] == "refused"
    fed.cli("member", "resume", "acme", "--reason", "test")
    assert resolve(fed, path, DEVICE)[0]["result"] == "found"


# --- a broker that is not ours: BIND with DoH and client certificates, as a federation without fedroam-broker would run it ---

NAMED = tool("named")


@pytest.fixture
def bind(fed, tmp_path):
    """fed's zone in named on fed.port, fed's certificates on both sides."""
    fed.member("acme", "000013", "127.0.0.1:8005", "[::1]:8006")
    fed.devices("000013", [DEVICE])
    fed.acme = fed.cert("doh", member="acme")
    fed.cert("ns", member="acme", netid="000013")
    folder = tmp_path / "named"
    folder.mkdir()
    (folder / "zone").write_text(fed.cli("zone", "export").stdout)
    (folder / "named.conf").write_text(f"""
        tls mutual {{ cert-file "{fed.state}/server.chain.pem"; key-file "{fed.state}/server.key"; ca-file "{fed.root}"; }};
        http doh {{ endpoints {{ "/dns-query"; }}; }};
        options {{
            directory "{folder}"; pid-file none; session-keyfile none; managed-keys-directory "{folder}";
            listen-on port {fed.port} tls mutual http doh {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
            recursion no; dnssec-validation no; notify no; allow-transfer {{ none; }};
        }};
        controls {{ }};
        zone "{fed.name}" {{ type primary; file "zone"; }};
    """)
    named = Daemon(NAMED, ["-g", "-n", "1", "-c", folder / "named.conf"], folder / "named.log")
    named.wait_for("running")
    yield fed
    named.kill()


def test_an_ordinary_server_is_asked_for_what_it_does_not_send(bind, tmp_path):
    config = write_config(tmp_path, bind, bind.acme)
    got, said = resolve(bind, config, DEVICE)
    assert got["result"] == "found" and said == ""
    assert got["netid"] == "000013" and got["endpoints"] == ["127.0.0.1:8005", "[::1]:8006"]
    assert len(got["pins"]) == 1
    assert 1 < got["exchanges"] <= 6, got
    assert resolve(bind, config, ABSENT, code=7)[0]["result"] == "unknown"
    assert resolve(bind, config, "--netid", "000013")[0]["endpoints"] == ["127.0.0.1:8005", "[::1]:8006"]
