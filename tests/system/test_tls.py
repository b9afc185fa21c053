"""TLS as the broker speaks it, by openssl s_client: 1.2 with ECDHE and AEAD or 1.3, nothing else, and no session that
outlives what was revoked."""
import re
import subprocess
import time
from xml.etree import ElementTree

import pytest

from fed import Cert, Federation, tool, wait_until

REQUEST = "GET /dns-query?dns=AAABAAABAAAAAAAAA2ZlZAR0ZXN0AAAGAAE HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
VERSIONS = ["-tls1_2", "-tls1_3"]


def s_client(fed, cert, *more):
    """openssl s_client's whole talk."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{fed.port}", "-servername", fed.host, "-ign_eof",
               "-nocommands", "-CAfile", str(fed.root), "-cert", str(cert.chain), "-key", str(cert.key),
               *map(str, more)]
    done = subprocess.run(command, input=REQUEST.format(host=fed.host).encode(), capture_output=True, timeout=30,
                          check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


def status(out):
    found = re.search(r"HTTP/1\.1 (\d{3})", out)
    return int(found[1]) if found else 0


# --- versions and ciphers ---

@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(shared, version):
    out = s_client(shared, shared.acme, version, "-cipher", "DEFAULT:@SECLEVEL=0")
    assert "alert protocol version" in out and status(out) == 0, out[-2000:]


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                                    "ECDHE-ECDSA-CHACHA20-POLY1305"])
def test_aead_with_forward_secrecy_is_served(shared, cipher):
    out = s_client(shared, shared.acme, "-tls1_2", "-cipher", cipher)
    assert status(out) == 200 and cipher in out, out[-2000:]


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-GCM-SHA256",
                                    "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-CCM8", "NULL", "aNULL"])
def test_everything_else_of_1_2_is_refused(shared, cipher):
    out = s_client(shared, shared.acme, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0")
    assert "alert handshake failure" in out and status(out) == 0, out[-2000:]


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_the_suites_of_1_3_are_served(shared, suite):
    out = s_client(shared, shared.acme, "-tls1_3", "-ciphersuites", suite)
    assert status(out) == 200 and suite in out, out[-2000:]


def test_sha_1_signatures_are_refused(shared):
    out = s_client(shared, shared.acme, "-tls1_2", "-sigalgs", "ECDSA+SHA1", "-cipher", "DEFAULT:@SECLEVEL=0")
    assert status(out) == 0 and "alert" in out, out[-2000:]


def test_nothing_is_compressed(shared):
    out = s_client(shared, shared.acme, "-tls1_2", "-comp")
    assert status(out) == 200 and "Compression: NONE" in out


def test_a_list_of_protocols_without_ours_ends_the_handshake(shared):
    out = s_client(shared, shared.acme, "-alpn", "foo,bar")
    assert "no application protocol" in out and status(out) == 0, out[-2000:]


# --- renegotiation, early data ---

def test_renegotiation_is_refused(shared):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{shared.port}", "-servername", shared.host, "-tls1_2",
               "-CAfile", str(shared.root), "-cert", str(shared.acme.chain), "-key", str(shared.acme.key)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        client.stdin.write(b"R\n")                      # stdin stays open: its end would end the client first
        client.stdin.flush()
        out = client.stdout.read().decode(errors="replace")
    assert "RENEGOTIATING" in out and "no renegotiation" in out, out[-2000:]


def test_early_data_is_neither_offered_nor_taken(shared, tmp_path):
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_text(REQUEST.format(host=shared.host))
    out = s_client(shared, shared.acme, "-tls1_3", "-sess_out", session)
    assert status(out) == 200 and "Max Early Data: 0" in out
    out = s_client(shared, shared.acme, "-tls1_3", "-sess_in", session, "-early_data", early)
    assert "Early data was accepted" not in out
    assert "Reused, " in out and len(re.findall(r"HTTP/1\.1 200", out)) == 1, out[-2000:]


# --- sessions ---

@pytest.mark.parametrize("version", VERSIONS)
def test_sessions_live_in_the_broker_and_not_for_long(shared, version, tmp_path):
    out = s_client(shared, shared.acme, version, "-sess_out", tmp_path / "session")
    assert status(out) == 200
    if version == "-tls1_2":
        assert "TLS session ticket:" not in out          # a session id, no ticket that carries the session away
    else:
        assert int(re.search(r"ticket lifetime hint: (\d+)", out)[1]) <= 3600
        lines = re.findall(r"^\s+00[0-9a-f]0 - ", out.split("TLS session ticket:")[1].split("Start Time")[0], re.M)
        assert len(lines) <= 3                           # a name of 32 octets, not an encrypted session of 1,200


@pytest.fixture
def own(tmp_path):
    federation = Federation(tmp_path, workers=1)
    federation.init()
    federation.member("acme", "000013", "127.0.0.1:8005")
    federation.start_broker()
    yield federation
    federation.stop()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["revoke", "suspend", "rights"])
def test_no_session_outlives_a_revocation(own, version, how, tmp_path):
    cert = own.cert("doh", member="acme")
    session = tmp_path / "session"
    assert status(s_client(own, cert, version, "-sess_out", session)) == 200
    out = s_client(own, cert, version, "-sess_in", session, "-sess_out", session)
    assert status(out) == 200 and "Reused, " in out      # it does resume while nothing has happened
    if how == "revoke":
        own.cli("cert", "revoke", cert.serial, "--yes", "--reason", "test")
    elif how == "suspend":
        own.cli("member", "suspend", "acme", "--yes")
    else:
        own.cli("cert", "set", cert.serial, "--right", "roam", "--yes")
    for _ in range(3):
        assert status(s_client(own, cert, version, "-sess_in", session)) == 403
    assert status(s_client(own, cert, version)) == 403   # nor does a full handshake help


@pytest.mark.parametrize("version", VERSIONS)
def test_no_session_outlives_the_certificate(own, version, tmp_path):
    folder, session = tmp_path / "short", tmp_path / "session"
    own.cli("cert", "issue", "--profile", "doh", "--member", "acme", "--generate", "--out", folder, "--lifetime", "3s")
    cert = Cert(folder, "doh", "acme")
    end = time.monotonic() + 3
    assert status(s_client(own, cert, version, "-sess_out", session)) == 200
    wait_until(lambda: time.monotonic() > end + 1.1, 10, "the certificate to be over")
    assert status(s_client(own, cert, version, "-sess_in", session)) in (0, 403)
    assert "certificate-expired" in own.broker.text() or "certificate has expired" in own.broker.text()


# --- a scanner's view (T22) ---

def test_a_scanner_finds_nothing_weak(shared, tmp_path):
    """sslscan on every name of the listener: what it offers is what the tests above say, and nothing it warns of."""
    for name in (shared.host, f"ca.{shared.name}"):
        out = tmp_path / f"{name}.xml"
        subprocess.run([tool("sslscan"), "--no-colour", f"--xml={out}", f"--sni-name={name}", f"127.0.0.1:{shared.port}"],
                       check=True, capture_output=True, timeout=120)
        scan = ElementTree.parse(out).getroot().find("ssltest")
        enabled = {f"{p.get('type')}v{p.get('version')}" for p in scan.findall("protocol") if p.get("enabled") == "1"}
        assert enabled == {"tlsv1.2", "tlsv1.3"}, enabled
        ciphers = {c.get("cipher") for c in scan.findall("cipher")}
        assert ciphers and {c for c in ciphers if not c.startswith(("TLS_", "ECDHE-ECDSA-"))} == set(), ciphers
        assert {c.get("strength") for c in scan.findall("cipher")} <= {"strong", "acceptable"}
        assert {int(c.get("bits")) for c in scan.findall("cipher")} <= {128, 256}
        for part in ("compression", "renegotiation"):  # what this sslscan was not built to try is not there
            assert {p.get("supported") for p in scan.findall(part)} <= {"0"}, part
        assert {h.get("vulnerable") for h in scan.findall("heartbleed")} <= {"0"}
