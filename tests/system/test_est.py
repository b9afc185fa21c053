"""Enrolment over EST (RFC 7030) with clients from elsewhere: curl + openssl, a raw socket, strongSwan's pki."""
import base64
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from fed import Cert, Federation, wait_until

EST = "/.well-known/est"
PKCS10 = ("-H", "Content-Type: application/pkcs10")


def openssl(*args, data=None):
    done = subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    """A running broker; members acme (000013) and umbra (000014)."""
    federation = Federation(tmp_path_factory.mktemp("est"))
    federation.init()
    federation.member("acme", "000013", "127.0.0.1:8005")
    federation.member("umbra", "000014", "127.0.0.2:8005")
    federation.write_config(more="limits: {enrolment_failures: 10000}\n")
    federation.start_broker()
    federation.ca = f"ca.{federation.name}"
    yield federation
    federation.stop()


# --- the member's side, as the guide shows it ---

def token(est, profiles="doh", member="acme", *more):
    """(id, secret) of a fresh token."""
    text = est.cli("token", "create", "--member", member, "--profile", profiles, *more).stdout.strip()
    _, facts, secret = text.split(".")
    return json.loads(base64.urlsafe_b64decode(facts + "=="))["id"], secret


def new_key(folder, kind="P-256"):
    path = folder / f"{time.monotonic_ns()}.key"
    if kind.startswith("P-"):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{kind}", "-out", path)
    elif kind.startswith("RSA"):
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{kind[3:]}", "-out", path)
    else:
        openssl("genpkey", "-algorithm", kind, "-out", path)
    path.chmod(0o600)
    return path


def csr_of(key, *more, subject="/CN=000013"):
    return openssl("req", "-new", "-key", key, "-subj", subject, "-outform", "DER", *more)


def one_line(der):
    return base64.b64encode(der)


def enroll(est, body, *args, op="simpleenroll", label=None, basic=None, cert=None):
    """curl; status, headers, body."""
    path = EST + (f"/{label}" if label else "") + f"/{op}"
    file = est.folder / f"body-{time.monotonic_ns()}-{os.urandom(4).hex()}"
    file.write_bytes(body)
    more = ["-u", ":".join(basic)] if basic else []
    return est.curl("--http1.1", *PKCS10, *more, "--data-binary", f"@{file}", *args, host=est.ca, path=path, cert=cert)


def certs_in(body):
    text = openssl("pkcs7", "-inform", "DER", "-print_certs", data=base64.b64decode(body, validate=True)).decode()
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S)


def fields(pem, *what):
    return openssl("x509", "-noout", *what, data=pem.encode()).decode().strip()


def enrolled(est, label="doh", member="acme", profiles=None, key=None, *more):
    """A certificate by token, as the files that Cert stands for."""
    key = key or new_key(est.folder)
    status, _, body = enroll(est, one_line(csr_of(key, subject="/")), label=label,
                             basic=token(est, profiles or label, member, *more))
    assert status == 200, body
    pem, = certs_in(body)
    cert = Cert(est.folder, "x", "y")
    cert.key = key
    cert.chain = key.with_suffix(".chain.pem")
    issuing = next((est.state / "ca").glob("*.pem")).read_text()
    cert.chain.write_text(pem + issuing)
    cert.root, cert.pem = est.root, pem
    cert.serial = fields(pem, "-serial").split("=")[1].lower()
    return cert


# --- cacerts, csrattrs ---

def test_cacerts_has_issuing_ca_and_root(est):
    for label in ("", "/ns"):
        status, head, body = est.curl("--http1.1", host=est.ca, path=f"{EST}{label}/cacerts")
        assert (status, head["content-type"]) == (200, "application/pkcs7-mime; smime-type=certs-only")
        assert head["content-transfer-encoding"] == "base64" and b"\n" not in body
        subjects = [fields(p, "-subject") for p in certs_in(body)]
        assert len(subjects) == 2 and "Issuing CA" in subjects[0] and "Root CA" in subjects[1]
    assert est.curl("--http1.1", host=est.ca, path=f"{EST}/csrattrs")[0] == 204
    assert est.curl("--http2", host=est.ca, path=f"{EST}/cacerts")[0] == 200


@pytest.mark.parametrize("path", ["", "/", "/fullcmc", "/serverkeygen", "/nope/simpleenroll", "/ns/nope", "/ns/ns/cacerts",
                                  "/ns/", "//cacerts", "/cacerts/"])
def test_other_paths_are_not_there(est, path):
    assert est.curl("--http1.1", host=est.ca, path=EST + path)[0] == 404


def test_methods_types_and_sizes(est):
    assert est.curl("--http1.1", "-X", "POST", "-d", "x", host=est.ca, path=f"{EST}/cacerts")[0] == 405
    assert est.curl("--http1.1", host=est.ca, path=f"{EST}/simpleenroll")[0] == 405
    basic = token(est)
    body = one_line(csr_of(new_key(est.folder)))
    assert est.curl("--http1.1", "-u", ":".join(basic), "-H", "Content-Type: text/plain", "-d", body.decode(),
                    host=est.ca, path=f"{EST}/simpleenroll")[0] == 415
    for bad in (b"", b"====", b"AAAA", b"\0", body[:-4], body + b"AAAA", one_line(csr_of(new_key(est.folder)) + b"junk"),
                b"A" * 40000, b"-----BEGIN CERTIFICATE REQUEST-----\n", b"{}"):
        status, head, _ = enroll(est, bad, basic=basic)
        assert status == 400 and "content-length" in head, bad[:40]
    assert enroll(est, b"A" * 70000, basic=basic)[0] == 413
    assert enroll(est, body, basic=basic)[0] == 200, "none of them used the token up"


# --- simpleenroll ---

def test_a_token_gives_each_profile_once(est):
    basic = token(est, "ns,doh", "acme", "--host", "lns7")
    key = new_key(est.folder)
    body = one_line(csr_of(key))
    status, head, first = enroll(est, body, basic=basic)
    assert (status, head["content-type"], head["content-transfer-encoding"]) == \
        (200, "application/pkcs7-mime; smime-type=certs-only", "base64")
    pem, = certs_in(first)
    assert "CN = 000013" in fields(pem, "-subject") and b"\n" not in first
    assert "DNS:000013.netid.fed.test" in fields(pem, "-ext", "subjectAltName")
    status, _, second = enroll(est, body, label="doh", basic=basic)
    assert status == 200 and "CN = acme" in fields(certs_in(second)[0], "-subject")
    assert [row for row in est.json("cert", "list") if row["host"] == "lns7" and row["member"] == "acme"]
    status, head, again = enroll(est, body, basic=basic)
    assert (status, again) == (200, first), "the same request gets the same certificate"
    for op in (body, one_line(csr_of(new_key(est.folder)))):
        status, head, text = enroll(est, one_line(csr_of(new_key(est.folder))), basic=basic)
        assert (status, text, head["content-length"]) == (401, b"", "0")
        assert head["www-authenticate"].startswith("Basic realm=")
    assert "it belongs to another request" in (est.state / "audit.jsonl").read_text()


def test_white_space_and_armour_are_tolerated(est):
    key = new_key(est.folder)
    pem = openssl("req", "-new", "-key", key, "-subj", "/CN=x")
    wrapped = base64.encodebytes(csr_of(key)).replace(b"\n", b"\r\n \t")
    for body in (pem, wrapped, b"\n\n" + pem + b"\n"):
        status, _, answer = enroll(est, body, "-H", "Content-Transfer-Encoding: 8bit", basic=token(est))
        assert status == 200, answer


@pytest.mark.parametrize("basic", [None, ("", ""), ("x", "y"), ("0" * 32, "A" * 43), ("", "A" * 43)])
def test_without_a_good_token_the_answer_is_empty(est, basic):
    status, head, body = enroll(est, one_line(csr_of(new_key(est.folder))), basic=basic)
    assert (status, body, head["content-length"]) == (401, b"", "0") and "www-authenticate" in head


def test_a_token_is_for_its_own_member_profile_and_federation(est):
    """T9: every (token, label) but the right ones."""
    for profiles in ("doh", "ns"):
        basic = token(est, profiles)
        for label in ("doh", "ns", "js", "broker"):
            if label != profiles:
                assert enroll(est, one_line(csr_of(new_key(est.folder))), label=label, basic=basic)[0] == 403
        status, _, body = enroll(est, one_line(csr_of(new_key(est.folder), subject="/CN=umbra")), label=profiles, basic=basic)
        assert status == 200
        assert "member/acme/" in fields(certs_in(body)[0], "-ext", "subjectAltName")
    ident, secret = token(est)
    other, _ = token(est)
    assert enroll(est, one_line(csr_of(new_key(est.folder))), basic=(other, secret))[0] == 401
    est.cli("token", "revoke", ident)
    assert enroll(est, one_line(csr_of(new_key(est.folder))), basic=(ident, secret))[0] == 401


def test_a_request_decides_nothing(est):
    """T4: CA:TRUE, foreign names and any use get what the profile gives."""
    conf = est.folder / "evil.cnf"
    conf.write_text("[req]\ndistinguished_name=d\nreq_extensions=e\n[d]\n[e]\nbasicConstraints=critical,CA:TRUE\n"
                    "keyUsage=keyCertSign\nextendedKeyUsage=anyExtendedKeyUsage\n"
                    "subjectAltName=DNS:broker.fed.test,DNS:evil.test,IP:1.2.3.4\n")
    status, _, body = enroll(est, one_line(csr_of(new_key(est.folder), "-config", conf, subject="/CN=ca/O=x")),
                             basic=token(est))
    assert status == 200
    text = openssl("x509", "-noout", "-text", data=certs_in(body)[0].encode()).decode()
    assert "CA:FALSE" in text and "evil" not in text and "CN = acme" in text and "Any Extended" not in text
    assert "DNS:acme.member.fed.test, URI:" in text and "Certificate Sign" not in text


@pytest.mark.parametrize("kind, status", [("P-256", 200), ("P-384", 200), ("ED25519", 200), ("RSA2048", 200), ("RSA1024", 400),
                                          ("P-521", 400), ("ED448", 400)])
def test_keys(est, kind, status):
    assert enroll(est, one_line(csr_of(new_key(est.folder, kind))), basic=token(est))[0] == status


def test_possession_and_ownership(est):
    """T6, T28: a request that was changed, another member's key, a blocked key."""
    cert = enrolled(est)
    der = bytearray(csr_of(new_key(est.folder)))
    der[-1] ^= 1
    basic = token(est)
    before = len(est.json("cert", "list"))
    assert enroll(est, one_line(bytes(der)), basic=basic)[0] == 400
    assert len(est.json("cert", "list")) == before
    assert enroll(est, one_line(csr_of(cert.key)), basic=token(est, "doh", "umbra"))[0] == 409
    est.cli("cert", "revoke", cert.serial, "--cause", "key-compromise")
    assert enroll(est, one_line(csr_of(cert.key)), basic=token(est))[0] == 409


def test_of_64_at_once_one_wins(est):
    """T8: one token, 64 keys."""
    basic = token(est)
    bodies = [one_line(csr_of(new_key(est.folder))) for _ in range(64)]
    before = len(est.json("cert", "list"))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = [a[0] for a in pool.map(lambda b: enroll(est, b, basic=basic), bodies)]
    assert sorted(set(answers)) == [200, 401] and answers.count(200) == 1
    assert len(est.json("cert", "list")) == before + 1


def test_of_the_same_request_at_once_all_get_the_same(est):
    basic = token(est)
    body = one_line(csr_of(new_key(est.folder)))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = {a[2] for a in pool.map(lambda b: enroll(est, b, basic=basic), [body] * 16)}
    assert len(answers) == 1 and certs_in(answers.pop())


def test_a_reload_loses_no_enrolment(est):
    """Workers that end wait for what the writer still does for them."""
    jobs = [(token(est), one_line(csr_of(new_key(est.folder)))) for _ in range(24)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(enroll, est, body, basic=basic) for basic, body in jobs]
        for _ in range(4):
            time.sleep(0.1)
            est.broker.signal(signal.SIGHUP)
        assert {a.result()[0] for a in answers} == {200}


def test_approval_is_polled_for(est):
    basic = token(est, "doh", "acme", "--approval")
    body = one_line(csr_of(new_key(est.folder)))
    for _ in range(2):
        status, head, text = enroll(est, body, basic=basic)
        assert (status, text, head["content-length"]) == (202, b"", "0") and int(head["retry-after"]) > 0
    assert est.json("token", "list")[0]["state"] in ("waiting", "open")
    est.cli("token", "approve", basic[0])
    assert enroll(est, body, basic=basic)[0] == 200


# --- certificates work, and are renewed ---

def test_what_was_enrolled_works_at_once(est):
    cert = enrolled(est)
    assert est.query("000013.netid.fed.test", "A", cert).answer


def test_renewal_and_rekey(est):
    cert = enrolled(est, "ns", "acme", "ns")
    for key in (cert.key, new_key(est.folder)):
        names = ("-addext", "subjectAltName=DNS:000013.netid.fed.test")
        for body in (one_line(csr_of(key, subject="/")), one_line(csr_of(key, *names, subject="/O=fed.test/CN=000013"))):
            status, head, answer = enroll(est, body, op="simplereenroll", cert=cert)
            assert (status, head["content-type"]) == (200, "application/pkcs7-mime; smime-type=certs-only"), answer
            pem, = certs_in(answer)
            assert fields(pem, "-serial").split("=")[1].lower() != cert.serial
            assert fields(pem, "-ext", "subjectAltName") == fields(cert.pem, "-ext", "subjectAltName")
        keys = {openssl("pkey", "-in", k, "-pubout", "-outform", "DER") for k in (cert.key, key)}
        pins = {r.cert for rrset in est.query("_ns.000013.netid.fed.test", "TLSA", cert).answer for r in rrset}
        assert {hashlib.sha256(k).digest() for k in keys} <= pins, "the old and the new key are both published"


def test_a_renewal_does_not_change_who_one_is(est):
    """T20 in EST, RFC 7030 §4.2.2."""
    cert = enrolled(est)
    for body in (csr_of(cert.key, subject="/CN=umbra"), csr_of(cert.key, "-addext", "subjectAltName=DNS:umbra.member.fed.test"),
                 csr_of(cert.key, "-addext", "subjectAltName=IP:127.0.0.1", subject="/CN=acme")):
        assert enroll(est, one_line(body), op="simplereenroll", cert=cert)[0] == 400
    assert enroll(est, one_line(csr_of(cert.key, subject="/")), op="simplereenroll", label="ns", cert=cert)[0] == 403
    ours = est.cert("broker", host="host9", folder=est.folder / "b")
    assert enroll(est, one_line(csr_of(ours.key, subject="/CN=acme")), op="simplereenroll", cert=ours)[0] == 400
    assert enroll(est, one_line(csr_of(new_key(est.folder), subject="/")), op="simplereenroll", cert=ours)[0] in (400, 403)


def test_a_renewal_needs_the_certificate(est):
    body = one_line(csr_of(new_key(est.folder), subject="/"))
    basic = token(est)
    for answer in (enroll(est, body, op="simplereenroll"), enroll(est, body, op="simplereenroll", basic=basic)):
        assert answer[0] == 403 and "www-authenticate" not in answer[1]
    assert enroll(est, body, basic=basic)[0] == 200, "Basic is never looked at in a renewal"


def test_the_right_enrol_is_needed_for_another_profile(est):
    cert = enrolled(est)
    body = one_line(csr_of(new_key(est.folder), subject="/"))
    assert enroll(est, body, label="ns", cert=cert)[0] == 403
    cert = enrolled(est)
    est.cli("cert", "set", cert.serial, "--right", "enrol", "--right", "lookup")
    status, _, answer = enroll(est, body, label="ns", cert=cert)
    assert status == 200 and "CN = 000013" in fields(certs_in(answer)[0], "-subject")


def test_a_revoked_certificate_renews_nothing_on_an_open_connection(est):
    """T13."""
    cert = enrolled(est)
    with Raw(est, cert=cert) as raw:
        body = one_line(csr_of(cert.key, subject="/"))
        assert raw.post("simplereenroll", body)[0] == 200
        est.cli("cert", "revoke", cert.serial)
        start = time.monotonic()
        assert raw.post("simplereenroll", body)[0] == 403
        assert raw.tls.recv(1) == b"" and time.monotonic() - start < 1, "and the connection closes"
    with Raw(est, cert=cert) as raw:
        assert raw.get("cacerts")[0] == 200, "what needs no certificate still needs none"
        assert raw.post("simplereenroll", body)[0] == 403


# --- names, services, federations ---

def test_no_questions_here_and_no_enrolment_there(est):
    """T18, T19."""
    cert = enrolled(est)
    doh = est.query_raw("000013.netid.fed.test", "A", cert, host=est.ca)
    assert doh[0] == 421
    assert est.query_raw("000013.netid.fed.test", "A", None, host=est.ca)[0] in (0, 403)
    assert est.curl("--http1.1", cert=cert, path=f"{EST}/cacerts")[0] == 404
    for host in (est.host, "ca.other.test", "localhost", "fed.test"):
        assert est.curl("--http1.1", "-H", f"Host: {host}", host=est.ca, path=f"{EST}/cacerts")[0] == 421, host


def test_another_federations_certificate_is_a_strangers(est, tmp_path):
    """T17."""
    other = Federation(tmp_path, "other.test")
    other.init()
    other.member("acme", "000013")
    cert = other.cert("doh", member="acme")
    cert.root = est.root
    assert enroll(est, one_line(csr_of(cert.key, subject="/")), op="simplereenroll", cert=cert)[0] == 0


def test_without_a_certificate_a_member_is_told_why(est):
    """T26: under TLS 1.3 the handshake of a refused client succeeds; the alert comes with the first read."""
    config = est.folder / "resolver.yaml"
    stranger = Federation(est.folder / "s", "fed.test")
    (est.folder / "s").mkdir()
    stranger.init()
    stranger.member("acme", "000013")
    cert = stranger.cert("doh", member="acme")
    config.write_text(f"federations:\n  - name: fed.test\n    broker: {est.url}\n    addresses: [127.0.0.1]\n"
                      f"    ca: {est.root}\n    certificate: {cert.chain}\n    key: {cert.key}\n")
    done = est.run("resolve", "--config", config, "70b3d57ed0000001", code=None)
    assert done.returncode != 0 and "unknown ca" in (done.stdout + done.stderr).lower()


# --- channel binding (T27) ---

class Raw:
    """HTTP/1.1 over TLS without ALPN, as the small clients speak it."""

    def __init__(self, est, version=None, cert=None, session=None):
        context = ssl.create_default_context(cafile=str(est.root))
        context.check_hostname = True
        if version:
            context.minimum_version = context.maximum_version = version
        if cert:
            context.load_cert_chain(cert.chain, cert.key)
        self.host = est.ca
        self.socket = socket.create_connection(("127.0.0.1", est.port), 10)
        self.tls = context.wrap_socket(self.socket, server_hostname=est.ca, session=session)
        self.context = context

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def send(self, head, body=b""):
        self.tls.sendall(head.encode() + b"\r\n\r\n" + body)

    def read(self):
        """status, head block, body, number of TLS reads."""
        data, reads = b"", 0
        while b"\r\n\r\n" not in data or len(data.split(b"\r\n\r\n", 1)[1]) < self.length(data):
            more = self.tls.recv(65536)
            if not more:
                break
            data, reads = data + more, reads + 1
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), head, body, reads

    @staticmethod
    def length(data):
        found = re.search(rb"content-length: (\d+)", data, re.I)
        return int(found[1]) if found else 0

    def get(self, op):
        self.send(f"GET {EST}/{op} HTTP/1.1\r\nHost: {self.host}")
        return self.read()

    def post(self, op, body, basic=None):
        head = f"POST {EST}/{op} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/pkcs10\r\nContent-Length: {len(body)}"
        if basic:
            head += "\r\nAuthorization: Basic " + base64.b64encode(":".join(basic).encode()).decode()
        self.send(head, body)
        return self.read()


def challenged(key, password, folder):
    conf = folder / f"challenge-{time.monotonic_ns()}.cnf"
    conf.write_text(f"[req]\nprompt=no\ndistinguished_name=d\nattributes=a\n[d]\nCN=x\n[a]\nchallengePassword={password}\n")
    return openssl("req", "-new", "-key", key, "-config", conf, "-outform", "DER")


def test_a_binding_that_is_there_must_be_this_connections(est):
    key = new_key(est.folder)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with Raw(est, version) as raw:
            wrong = one_line(challenged(key, base64.b64encode(os.urandom(12)).decode(), est.folder))
            assert raw.post("simpleenroll", wrong, token(est))[0] == 400
        with Raw(est, version) as raw:
            assert raw.post("simpleenroll", one_line(csr_of(key)), token(est))[0] == 200, "absent"
    with Raw(est, ssl.TLSVersion.TLSv1_2) as raw:
        binding = raw.tls.get_channel_binding("tls-unique")
        body = one_line(challenged(key, base64.b64encode(binding).decode(), est.folder))
        assert raw.post("simpleenroll", body, token(est))[0] == 200, "this connection's"
        session, context = raw.tls.session, raw.context
    with Raw(est, ssl.TLSVersion.TLSv1_2) as other:
        assert other.post("simpleenroll", body, token(est))[0] == 400, "another connection's"
    tls = context.wrap_socket(socket.create_connection(("127.0.0.1", est.port), 10), server_hostname=est.ca, session=session)
    with tls:
        assert tls.session_reused
        raw = Raw.__new__(Raw)
        raw.tls, raw.host = tls, est.ca
        binding = tls.get_channel_binding("tls-unique")
        body = one_line(challenged(key, base64.b64encode(binding).decode(), est.folder))
        assert raw.post("simpleenroll", body, token(est))[0] == 200, "a resumed connection's own"


def s_client(est, *more):
    """openssl s_client on ca.<fed>, told to print the exporter's key; it waits for a request."""
    return subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{est.port}", "-servername", est.ca, "-CAfile", est.root, "-tls1_3",
                             "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32", *map(str, more)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def exporter_of(process):
    """What it printed, as the binding's base64."""
    said = b""
    while b"Keying material: " not in said or not said.endswith(b"\n"):
        line = process.stdout.readline()
        assert line, said
        said += line
    return base64.b64encode(bytes.fromhex(re.search(rb"Keying material: ([0-9A-F]{64})", said)[1].decode())).decode(), said


def enroll_over(est, process, body, basic):
    """simpleenroll on that connection: the status."""
    head = (f"POST {EST}/simpleenroll HTTP/1.1\r\nHost: {est.ca}\r\nContent-Type: application/pkcs10\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\nAuthorization: Basic {base64.b64encode(':'.join(basic).encode()).decode()}\r\n\r\n")
    process.stdin.write(head.encode() + body)
    process.stdin.flush()
    answer = process.stdout.read()
    process.stdin.close()
    process.wait(20)
    return int(re.search(rb"HTTP/1\.1 (\d{3})", answer)[1])


def test_the_binding_of_tls_1_3_is_the_exporter(est, tmp_path):
    """T27, RFC 9266: this connection's, also when it is resumed; another one's is refused."""
    key = new_key(est.folder)
    with s_client(est, "-sess_out", tmp_path / "session") as first:
        binding, _ = exporter_of(first)
        old = one_line(challenged(key, binding, est.folder))
        assert enroll_over(est, first, old, token(est)) == 200, "this connection's"
    with s_client(est) as other:
        exporter_of(other)
        assert enroll_over(est, other, old, token(est)) == 400, "another connection's"
    assert (tmp_path / "session").stat().st_size > 0
    for own in (True, False):
        with s_client(est, "-sess_in", tmp_path / "session") as resumed:
            binding, said = exporter_of(resumed)
            assert b"Reused, TLSv1.3" in said
            body = one_line(challenged(key, binding, est.folder)) if own else old
            assert enroll_over(est, resumed, body, token(est)) == (200 if own else 400), f"resumed, {own}"


def test_the_token_is_never_taken_from_the_challenge(est):
    ident, secret = token(est)
    body = one_line(challenged(new_key(est.folder), f"{ident}:{secret}", est.folder))
    assert enroll(est, body)[0] == 401
    assert enroll(est, body, basic=(ident, secret))[0] == 400


# --- what clients in the field cannot bear ---

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_form_of_answers(est, version):
    """The client matrix: no ALPN, small head, one write, one line, a length, empty 401 and 202."""
    key = new_key(est.folder)
    with Raw(est, version) as raw:
        assert raw.tls.selected_alpn_protocol() is None
        for answer in (raw.get("cacerts"), raw.post("simpleenroll", one_line(csr_of(key)), token(est))):
            status, head, body, reads = answer
            assert status == 200 and reads == 1, "head and body in one record"
            assert len(head) < 512 and b"Content-Transfer-Encoding: base64" in head and b"chunked" not in head.lower()
            assert body == body.strip() and b"\n" not in body and len(body) == Raw.length(head + b"\r\n")
            assert certs_in(body)
        status, head, body, _ = raw.post("simpleenroll", one_line(csr_of(key)), token(est, "doh", "acme", "--approval"))
        assert (status, body) == (202, b"") and b"Retry-After: " in head and b"Content-Length: 0" in head
        status, head, body, _ = raw.post("simpleenroll", one_line(csr_of(key)))
        assert (status, body) == (401, b"") and b"Content-Length: 0" in head
        assert b'Www-Authenticate: Basic realm="est"' in head


def test_failures_have_a_budget(tmp_path):
    fed = Federation(tmp_path, workers=1)
    fed.init()
    fed.member("acme", "000013")
    fed.write_config(more="limits: {enrolment_failures: 2}\n")
    fed.start_broker()
    fed.ca = "ca.fed.test"
    key = new_key(tmp_path)
    good, body = token(fed), one_line(csr_of(new_key(tmp_path)))
    bad = one_line(csr_of(key))
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: enroll(fed, bad, basic=("0" * 32, "A" * 43)), range(60)))
    statuses = {a[0] for a in answers}
    assert statuses == {401, 429}
    refused = next(a for a in answers if a[0] == 429)
    assert refused[2] == b"" and int(refused[1]["retry-after"]) > 0
    wait_until(lambda: enroll(fed, body, basic=good)[0] == 200, 15, "the budget to come back")
    counts = fed.metrics()
    assert counts['fedroam_est_enrolments_total{federation="fed.test",result="issued"}'] == 1
    assert counts['fedroam_est_refused_total{federation="fed.test",status="429"}'] >= 1
    fed.stop()


def test_secrets_are_nowhere(est):
    """T10: not in the log, the audit trail, or the command line of the broker."""
    basic = token(est)
    assert enroll(est, one_line(csr_of(new_key(est.folder))), basic=basic)[0] == 200
    wrong = ("0" * 32, base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode())
    enroll(est, one_line(csr_of(new_key(est.folder))), basic=wrong)
    places = [est.broker.text(), (est.state / "audit.jsonl").read_text(),
              open(f"/proc/{est.broker.pid}/cmdline", "rb").read().decode()]
    for ident, secret in (basic, wrong):
        raw = base64.urlsafe_b64decode(secret + "=")
        for text in places:
            for form in (secret, base64.b64encode(f"{ident}:{secret}".encode()).decode(), raw.hex(),
                         hashlib.sha256(raw).hexdigest()):
                assert form not in text


# --- strongSwan ---

PKI = shutil.which("pki")


def namespaces_work():
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture(params=["1.2", "1.3"])
def swan(request, est, tmp_path):
    """Runs strongSwan's pki where ca.<fed> is 127.0.0.1, under one version of TLS."""
    assert PKI is not None, "strongswan-pki is not installed: ./dev deps"
    if not namespaces_work():
        print("user namespaces are not allowed here: strongSwan's client is not run")
        pytest.skip("no user namespaces")
    (tmp_path / "hosts").write_text(f"127.0.0.1 localhost {est.ca}\n")
    (tmp_path / "ss.conf").write_text("libstrongswan { x509 { enforce_critical = no } }\n" +
                                      ("libtls { version_max = 1.3 }\n" if request.param == "1.3" else ""))
    issuing = next((est.state / "ca").glob("*.pem"))
    url = f"https://{est.ca}:{est.port}"

    def run(*args, out=None):
        shell = f"mount --bind {tmp_path}/hosts /etc/hosts && exec \"$@\""
        done = subprocess.run(["unshare", "-rm", "sh", "-c", shell, "sh", PKI, *map(str, args)], capture_output=True, timeout=60,
                              env=dict(os.environ, STRONGSWAN_CONF=str(tmp_path / "ss.conf")), cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr.decode()
        if out:
            (tmp_path / out).write_bytes(done.stdout)
            (tmp_path / out).chmod(0o600)
        return done.stdout
    run.url, run.issuing, run.folder = url, issuing, tmp_path
    return run


def test_strongswan_fetches_enrols_and_renews(est, swan):
    trust = ("--cacert", est.root, "--cacert", swan.issuing)
    swan("--estca", "--url", swan.url, "--cacert", est.root, "--caout", "ca", "--outform", "pem")
    found = "".join(p.read_text() for p in swan.folder.glob("ca*"))
    assert found.count("BEGIN CERTIFICATE") == 2
    swan("--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem", out="m.key")
    names = ("--dn", "O=fed.test, CN=000013", "--san", "000013.netid.fed.test", "--outform", "der")
    swan("--req", "--in", "m.key", "--type", "ecdsa", *names, out="m.csr")
    basic = token(est, "ns")
    swan("--est", "--url", swan.url, *trust, "--in", "m.csr", "--userpass", ":".join(basic), "--outform", "pem", out="m.pem")
    pem = (swan.folder / "m.pem").read_text()
    assert "CN = 000013" in fields(pem, "-subject")
    swan("--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem", out="m2.key")
    for key, csr, cert in (("m.key", "r1.csr", "r1.pem"), ("m2.key", "r2.csr", "r2.pem")):
        swan("--req", "--in", key, "--type", "ecdsa", *names, out=csr)
        swan("--est", "--url", swan.url, *trust, "--in", csr, "--cert", "m.pem", "--key", "m.key", "--outform", "pem", out=cert)
        renewed = (swan.folder / cert).read_text()
        assert fields(renewed, "-serial") != fields(pem, "-serial")
        assert fields(renewed, "-subject") == fields(pem, "-subject")


def test_strongswan_polls_until_it_is_approved(est, swan):
    swan("--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem", out="m.key")
    swan("--req", "--in", "m.key", "--type", "ecdsa", "--dn", "O=fed.test, CN=acme", "--outform", "der", out="m.csr")
    basic = token(est, "doh", "acme", "--approval")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        polled = pool.submit(swan, "--est", "--url", swan.url, "--cacert", est.root, "--cacert", swan.issuing, "--in", "m.csr",
                             "--userpass", ":".join(basic), "--interval", "1", "--maxpolltime", "30", "--outform", "pem")
        time.sleep(1.5)
        est.cli("token", "approve", basic[0])
        assert "CN = acme" in fields(polled.result().decode(), "-subject")
