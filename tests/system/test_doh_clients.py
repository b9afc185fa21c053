"""DNS over HTTPS with clients we did not write, as they are: dnspython, Node's http2, and the load generators dnsperf and h2load,
which know no client certificates (tests/support/client_cert.c gives them one)."""
import base64
import json
import pathlib
import re
import ssl
import subprocess

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import httpx
import pytest

from fed import BIN, tool

DEVICES = ["70b3d57ed0000001", "70b3d57ed0000002", "70b3d57ed0000003"]
ABSENT = "70b3d57ed00000ff"
SHIM = BIN.parent / "tests" / "client_cert.so"


def owner(eui):
    return f"{eui}.deveui.fed.test"


@pytest.fixture(scope="module", autouse=True)
def unlimited(shared):
    """Load generators ask more than a member should."""
    for key in ("queries", "misses", "connections"):
        shared.cli("policy", "set", f"budget.{key}", "0")


def with_certificate(fed, *command, cert=True):
    cert = {"FR_CLIENT_CHAIN": str(fed.acme.chain), "FR_CLIENT_KEY": str(fed.acme.key)} if cert else {}
    done = subprocess.run([str(c) for c in command], env={"PATH": "/usr/bin:/bin", "LD_PRELOAD": str(SHIM), **cert},
                          capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("post", [True, False])
@pytest.mark.parametrize("http2", [True, False])
def test_dnspython(shared, http2, post):
    context = ssl.create_default_context(cafile=str(shared.root))
    context.load_cert_chain(shared.acme.chain, shared.acme.key)
    context.check_hostname = False  # it connects to an address
    with httpx.Client(http2=http2, verify=context) as session:
        for eui, rcode in ((DEVICES[0], dns.rcode.NOERROR), (ABSENT, dns.rcode.NXDOMAIN)):
            query = dns.message.make_query(owner(eui), "A", use_edns=0, pad=128)
            answer = dns.query.https(query, f"https://127.0.0.1:{shared.port}/dns-query", session=session, post=post)
            assert answer.rcode() == rcode and query.is_response(answer)
            assert answer.rcode() or [r.to_text() for r in answer.answer[-1]] == ["127.0.0.1"]


def test_node_http2(shared):
    query = dns.message.make_query(owner(DEVICES[2]), "A")
    query.id = 0
    text = base64.urlsafe_b64encode(query.to_wire()).rstrip(b"=").decode()
    done = subprocess.run([tool("node"), pathlib.Path(__file__).with_name("doh_client.js"), shared.root, shared.acme.chain, shared.acme.key,
                           f"https://{shared.host}:{shared.port}/dns-query", text, "1000"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (what, times), = json.loads(done.stdout).items()
    status, kind, answer = what.split()
    assert (status, kind, times) == ("200", "application/dns-message", 1000)
    answer = dns.message.from_wire(bytes.fromhex(answer))
    assert [r.to_text() for r in answer.answer[-1]] == ["127.0.0.2"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_dnsperf(shared, tmp_path, method):
    """One question at a time on each connection: dnsperf 2.10 keeps the last of several answers that one read gives it, and the
    broker sends together what is ready together."""
    names = tmp_path / "names"
    names.write_text("".join(f"{owner(eui)} {t}\n" for eui in [*DEVICES, ABSENT] for t in ("A", "AAAA", "CNAME")))
    command = [tool("dnsperf"), "-m", "doh", "-s", "127.0.0.1", "-p", shared.port, "-d", names, "-n", 20, "-c", 4, "-T", 4, "-q", 4, "-t", 30,
               "-O", f"doh-uri=https://{shared.host}:{shared.port}/dns-query", "-O", f"doh-method={method}"]
    out = with_certificate(shared, *command)
    assert re.search(r"Queries completed:\s+240 \(100\.00%\)", out), out
    assert re.search(r"Queries lost:\s+0 ", out), out
    assert re.search(r"NOERROR 180 \(75\.00%\), NXDOMAIN 60 \(25\.00%\)", out), out


@pytest.mark.parametrize("way", ["get", "post", "http/1.1"])
def test_h2load(shared, tmp_path, way):
    query = dns.message.make_query(owner(DEVICES[0]), "A")
    query.id = 0
    body = tmp_path / "body"
    body.write_bytes(query.to_wire())
    url = f"https://127.0.0.1:{shared.port}/dns-query"
    args = ["-d", body, "-H", "content-type: application/dns-message"]
    if way == "get":
        url, args = url + "?dns=" + base64.urlsafe_b64encode(query.to_wire()).rstrip(b"=").decode(), []
    if way == "http/1.1":
        args.append("--h1")
    out = with_certificate(shared, tool("h2load"), "-n", 2000, "-c", 4, "-m", 1 if way == "http/1.1" else 32, *args, url)
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in out, out
    assert "2000 2xx, 0 3xx, 0 4xx, 0 5xx" in out, out


def test_without_a_certificate_they_get_nothing(shared):
    out = with_certificate(shared, tool("h2load"), "-n", 10, "-c", 1, f"https://127.0.0.1:{shared.port}/dns-query", cert=False)
    assert " 0 succeeded" in out and "0 2xx" in out, out
