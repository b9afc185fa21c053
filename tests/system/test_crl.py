"""Revocation lists: made at once, judged by openssl, fetched by curl over plain HTTP and from ca.<fed>."""
import re
import subprocess
import time

import pytest

from fed import free_port, wait_until


def openssl(*args, code=0):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def crl_file(fed):
    """The issuing CA's; the root's is there from the beginning."""
    files = [file for file in (fed.state / "crl").glob("*.crl") if file.stem != "root"]
    return files[0] if files else None


def number_of(path):
    return int(re.search(r"crlNumber=(?:0x)?([0-9A-Fa-f]+)", openssl("crl", "-in", path, "-inform", "DER", "-noout",
                                                                     "-crlnumber"))[1], 16)


def serials_in(path):
    text = openssl("crl", "-in", path, "-inform", "DER", "-noout", "-text")
    return [s.lower() for s in re.findall(r"Serial Number: ([0-9A-F]+)", text)]


@pytest.fixture
def served(fed):
    """A broker with a plain listener for lists; .crl_port."""
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.crl_port = free_port()
    fed.start_broker(listen=[f"  - {{address: 127.0.0.1, port: {fed.port}, serve: https}}",
                             f"  - {{address: 127.0.0.1, port: {fed.crl_port}, serve: crl}}"])
    wait_until(lambda: crl_file(fed), 5, "the first list")
    fed.name_of_ca = crl_file(fed).stem
    return fed


def plain(fed, path, *args, host=None):
    """curl over plain HTTP: status, headers, body."""
    head = fed.folder / f"plain-{time.monotonic_ns()}"
    host = host or f"crl.{fed.name}"
    done = subprocess.run(["curl", "-sS", "--max-time", "10", "-D", str(head), "--resolve", f"{host}:{fed.crl_port}:127.0.0.1",
                           *args, f"http://{host}:{fed.crl_port}{path}"], capture_output=True, check=False)
    lines = head.read_text().splitlines()
    return int(lines[0].split()[1]), dict(l.lower().split(": ", 1) for l in lines[1:] if ": " in l), done.stdout


def verify(fed, cert, crl, code):
    pem = fed.folder / "list.pem"
    openssl("crl", "-in", crl, "-inform", "DER", "-out", pem)
    return openssl("verify", "-crl_check", "-CAfile", fed.root, "-untrusted", fed.state / f"ca/{fed.name_of_ca}.pem",
                   "-CRLfile", pem, cert.chain, code=code)


def test_a_revocation_is_on_the_list_within_five_seconds(served):
    good, bad = served.cert("doh", member="acme"), served.cert("ns", member="acme", netid="000013")
    path = crl_file(served)
    before = number_of(path)
    assert "verify OK" in openssl("crl", "-in", path, "-inform", "DER", "-noout", "-CAfile",
                                  served.state / f"ca/{served.name_of_ca}.pem")
    assert verify(served, bad, path, 0)
    start = time.monotonic()
    served.cli("cert", "revoke", bad.serial, "--cause", "superseded")
    wait_until(lambda: bad.serial in serials_in(path), 5, "the serial on the list")
    print(f"on disk {time.monotonic() - start:.2f} s after the revocation")
    assert number_of(path) > before
    assert "certificate revoked" in verify(served, bad, path, 2)
    verify(served, good, path, 0)
    text = openssl("crl", "-in", path, "-inform", "DER", "-noout", "-text")
    assert "Superseded" in text and "Version 2" in text and "Authority Key Identifier" in text
    dates = openssl("crl", "-in", path, "-inform", "DER", "-noout", "-lastupdate", "-nextupdate")
    last, following = (subprocess.run(["date", "-d", l.split("=")[1], "+%s"], capture_output=True, text=True, check=True).stdout
                       for l in dates.splitlines())
    assert int(following) - int(last) == 86400


def test_curl_gets_a_list_once(served):
    path = f"/{served.name_of_ca}.crl"
    status, head, body = plain(served, path)
    assert (status, head["content-type"]) == (200, "application/pkix-crl")
    assert body == crl_file(served).read_bytes() and "max-age" in head["cache-control"]
    tag = head["etag"]
    for held in (tag, f'"other", W/{tag}', "*"):
        status, head, body = plain(served, path, "-H", f"If-None-Match: {held}")
        assert (status, body, head["etag"]) == (304, b"", tag)
    assert plain(served, path, "-H", 'If-None-Match: "other"')[0] == 200
    served.cli("ca", "crl", "publish")
    status, head, body = plain(served, path, "-H", f"If-None-Match: {tag}")
    assert status == 200 and head["etag"] != tag and body == crl_file(served).read_bytes()
    assert plain(served, path, "-I")[0] == 200
    assert plain(served, f"/crl{path}", host="127.0.0.1")[2] == body, "one federation: any name will do"
    counts = served.metrics()
    assert counts['fedroam_crl_requests_total{federation="fed.test",result="not_modified"}'] == 3
    age, = (value for name, value in counts.items() if name.startswith("fedroam_crl_age_seconds{"))
    assert 0 <= age < 60
    assert counts['fedroam_crl_expiry_seconds{federation="fed.test",certificate="root"}'] > 300 * 86400


def test_only_lists_are_there(served):
    ca = f"/{served.name_of_ca}.cer"
    status, head, body = plain(served, ca)
    assert (status, head["content-type"]) == (200, "application/pkix-cert")
    (served.folder / "ca.cer").write_bytes(body)
    assert openssl("x509", "-in", served.folder / "ca.cer", "-inform", "DER", "-noout", "-serial") == \
        openssl("x509", "-in", served.state / f"ca/{served.name_of_ca}.pem", "-noout", "-serial")
    assert plain(served, "/root.cer")[0] == 200
    for path in ("/", "/none.crl", "/none.cer", "/..%2fdata.mdb.crl", "/../server.crl", "/crl/", "/.crl", "/dns-query",
                 "/.well-known/est/cacerts", "/root.key", "/crl/crl/" + served.name_of_ca + ".crl"):
        assert plain(served, path, "--path-as-is")[0] == 404, path
    assert plain(served, ca, "-X", "POST", "-d", "x")[0] == 405


def test_ca_gives_the_same_list(served):
    path = f"/crl/{served.name_of_ca}.crl"
    status, head, body = served.curl(host=f"ca.{served.name}", path=path)
    assert (status, head["content-type"]) == (200, "application/pkix-crl")
    assert body == crl_file(served).read_bytes()
    status, _, body = served.curl("-H", f"If-None-Match: {head['etag']}", host=f"ca.{served.name}", path=path)
    assert (status, body) == (304, b"")
    acme = served.cert("doh", member="acme")
    assert served.curl(cert=acme, path=path)[0] == 404, "broker.<fed> answers questions only"


def test_certificates_say_where_the_list_is(served):
    cert = served.cert("doh", member="acme")
    text = openssl("x509", "-in", cert.chain, "-noout", "-text")
    assert f"URI:http://crl.fed.test/{served.name_of_ca}.crl" in text
    assert f"CA Issuers - URI:http://crl.fed.test/{served.name_of_ca}.cer" in text
    served.cli("policy", "set", "crl.point", "none")
    cert = served.cert("ns", member="acme", netid="000013")
    text = openssl("x509", "-in", cert.chain, "-noout", "-text")
    assert "CRL Distribution" not in text and "CA Issuers" not in text


def test_without_a_broker_the_program_publishes(fed):
    fed.member("acme", "000013")
    fed.cli("ca", "crl", "show", code=None)
    assert crl_file(fed) is None
    cert = fed.cert("doh", member="acme")
    fed.cli("cert", "revoke", cert.serial, "--dry-run")
    fed.cli("ca", "crl", "publish", "--dry-run")
    assert crl_file(fed) is None
    fed.cli("cert", "revoke", cert.serial)
    assert serials_in(crl_file(fed)) == [cert.serial]
    shown, of_root = fed.json("ca", "crl", "show")
    assert (of_root["name"], of_root["entries"], of_root["state"]) == ("root", 0, "fresh")
    assert (shown["entries"], shown["state"], shown["number"]) == (1, "fresh", number_of(crl_file(fed)))
    second = fed.cert("doh", member="acme", folder=fed.folder / "again")
    fed.cli("member", "remove", "acme", "--yes")
    assert sorted(serials_in(crl_file(fed))) == sorted([cert.serial, second.serial])


def test_a_restored_list_does_not_bring_the_number_back(fed):
    fed.cli("ca", "crl", "publish")
    old = crl_file(fed).read_bytes()
    fed.cli("ca", "crl", "publish")
    newer = number_of(crl_file(fed))
    crl_file(fed).write_bytes(old)
    fed.cli("ca", "crl", "publish")
    assert number_of(crl_file(fed)) > newer
