"""The federation's certificates and members through the program, judged with the openssl program."""
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

import pytest

from fed import BIN, ENV

FED = "fed.test"


def openssl(*args, stdin=None, code=0):
    done = subprocess.run(["openssl", *map(str, args)], input=stdin, text=True, capture_output=True, check=False)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def text_of(path):
    return openssl("x509", "-in", path, "-noout", "-text")


def extensions(text):
    """Name → (is critical, value) of every extension, as openssl prints them."""
    part = text.split("X509v3 extensions:\n")[1].split("    Signature Algorithm")[0]
    found = {}
    for name, critical, value in re.findall(r"^ {12}(\S.*?):( critical)? ?\n((?: {16}.*\n)+)", part, re.M):
        found[name] = (bool(critical), " ".join(line.strip() for line in value.splitlines()))
    return found


def dates(path):
    out = openssl("x509", "-in", path, "-noout", "-startdate", "-enddate", "-dateopt", "iso_8601")
    return re.findall(r"=(\S+ \S+)Z", out)


def seconds_of(path):
    from datetime import datetime
    start, end = (datetime.fromisoformat(text) for text in dates(path))
    return (end - start).total_seconds() + 1  # both ends count


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def rows(fed, *args):
    return json.loads(fed.run("--state", fed.state, *args, "-o", "json").stdout)


@pytest.fixture
def acme(fed):
    fed.run("--state", fed.state, "member", "add", "acme", "--netid", "000013", "--endpoint", "192.0.2.10:8005")
    return fed


def issue(fed, out, *args, code=0):
    return fed.run("--state", fed.state, "cert", "issue", "--out", out, *args, code=code)


# --- the authority ---

def test_root_and_issuing_ca_have_the_profiles_fields(fed):
    year = dates(fed.state / "root.pem")[0][:4]
    root, issuing = text_of(fed.state / "root.pem"), text_of(fed.state / f"ca/{year}a.pem")
    assert f"Subject: O = {FED}, CN = {FED} LoRaWAN Federation Root CA {year}" in root
    assert f"Subject: O = {FED}, CN = {FED} Issuing CA {year}a" in issuing
    ext = extensions(root)
    assert ext.keys() == {"X509v3 Basic Constraints", "X509v3 Key Usage", "X509v3 Subject Key Identifier",
                          "X509v3 Authority Key Identifier"}
    assert ext["X509v3 Basic Constraints"] == (True, "CA:TRUE")
    assert ext["X509v3 Key Usage"] == (True, "Certificate Sign, CRL Sign")
    ext = extensions(issuing)
    assert ext["X509v3 Basic Constraints"] == (True, "CA:TRUE, pathlen:0")
    assert ext["X509v3 Key Usage"] == (True, "Digital Signature, Certificate Sign, CRL Sign")
    assert ext["X509v3 Extended Key Usage"] == (False, "TLS Web Server Authentication, TLS Web Client Authentication")
    critical, names = ext["X509v3 Name Constraints"]
    assert critical and names == ("Permitted: DNS:fed.test Excluded: IP:0.0.0.0/0.0.0.0 "
                                  "IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0")
    assert ext["X509v3 Subject Alternative Name"] == (False, f"URI:spiffe://{FED}")
    assert "URI:http://crl.fed.test/root.crl" in ext["X509v3 CRL Distribution Points"][1]
    assert "CA Issuers - URI:http://crl.fed.test/root.cer" in ext["Authority Information Access"][1]
    assert len(ext) == 9
    assert seconds_of(fed.state / "root.pem") == 15 * 365 * 86400 + 300
    assert seconds_of(fed.state / f"ca/{year}a.pem") == 548 * 86400 + 300


def test_every_file_of_the_state_is_private_whatever_the_umask(tmp_path):
    state = tmp_path / "s"
    subprocess.run([BIN / "fedroam", "ca", "init", "--fed", FED, "--state", state], check=True, env=ENV,
                   capture_output=True, preexec_fn=lambda: os.umask(0))
    for folder, _, files in os.walk(state):
        assert mode(folder) == 0o700, folder
        for name in files:
            assert mode(os.path.join(folder, name)) == 0o600, name
    assert sorted(os.listdir(tmp_path)) == ["s"]


def test_init_overwrites_nothing(fed, tmp_path):
    before = (fed.state / "root.pem").read_bytes()
    fed.run("ca", "init", "--fed", FED, "--state", fed.state, code=9)
    assert (fed.state / "root.pem").read_bytes() == before
    key = tmp_path / "root.key"
    fed.run("ca", "init", "--fed", FED, "--state", tmp_path / "t", "--root-out", key)
    assert mode(key) == 0o600 and not (tmp_path / "t/root.key").exists()
    fed.run("ca", "init", "--fed", FED, "--state", tmp_path / "u", "--root-out", key, code=9)
    assert not (tmp_path / "u").exists()


@pytest.mark.parametrize("args", [["--fed", "one-label"], ["--fed", "Upper.test"], ["--fed", "a,DNS:b.test"],
                                  ["--fed", FED, "--host", "a.b"], ["--fed", FED, "--url", "http://x/"],
                                  ["--fed", FED, "--netid-pool", "600102-600100"],
                                  ["--fed", FED, "--root-out", "/nonexistent-folder/root.key"]])
def test_a_failed_init_leaves_nothing(fed, tmp_path, args):
    folder = tmp_path / "x"
    folder.mkdir()
    fed.run("ca", "init", "--state", folder / "s", *args, code=None)
    assert os.listdir(folder) == []


def test_dry_run_of_init_writes_nothing(fed, tmp_path):
    fed.run("ca", "init", "--fed", FED, "--state", tmp_path / "s", "--dry-run")
    assert not (tmp_path / "s").exists()


def may_mount():
    return os.geteuid() == 0 and shutil.which("unshare") is not None and \
        subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def open_path():
    """A temporary folder that other users can enter, which tmp_path is not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


@pytest.mark.skipif(not may_mount(), reason="needs root and a mount namespace, to have a user named fedroam")
def test_root_gives_the_files_to_the_service_user(open_path):
    passwd = open_path / "passwd"
    passwd.write_text(pathlib.Path("/etc/passwd").read_text() + "fedroam:x:4242:4242::/nonexistent:/usr/sbin/nologin\n")
    script = f"""set -e
        mount --bind {passwd} /etc/passwd
        {BIN}/fedroam ca init --fed {FED} --state {open_path}/s
        {BIN}/fedroam --state {open_path}/s member add acme --netid 000013
        {BIN}/fedroam --state {open_path}/s cert issue --member acme --profile doh --generate --out {open_path}/out
        {BIN}/fedroam --state {open_path}/s member list"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], env=ENV, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    for folder, _, files in os.walk(open_path / "s"):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            assert os.stat(path).st_uid == 4242 and mode(path) & 0o077 == 0, path
    assert os.stat(open_path / "out/doh-acme.key").st_uid == 0  # who ran the command


@pytest.mark.skipif(not may_mount(), reason="needs root and a mount namespace, to have a /var/lib/fedroam of its own")
def test_the_only_federation_is_found_beside_a_network_server(tmp_path):
    script = f"""set -e
        mount -t tmpfs none /var/lib
        mkdir -m 700 /var/lib/fedroam
        {BIN}/fedroam ca init --fed {FED}
        mkdir -m 700 /var/lib/fedroam/ns
        : > /var/lib/fedroam/ns/data.mdb
        {BIN}/fedroam member add acme
        {BIN}/fedroam ca init --fed other.test
        {BIN}/fedroam member list || test $? = 64
        {BIN}/fedroam --fed other.test member list
        cp {BIN}/fedroam /var/lib/program
        setpriv --reuid=65534 --regid=65534 --clear-groups /var/lib/program member list"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], env=ENV, text=True, capture_output=True, check=False)
    assert done.returncode == 77 and "may not read /var/lib/fedroam" in done.stderr, done


# --- leaves ---

BOTH = "TLS Web Server Authentication, TLS Web Client Authentication"
CLIENT = "TLS Web Client Authentication"
PROFILES = [
    (["--profile", "doh", "--member", "acme"], "doh-acme", "acme", CLIENT, 30,
     "DNS:acme.member.fed.test, URI:spiffe://fed.test/member/acme/doh"),
    (["--profile", "ns", "--member", "acme", "--netid", "0x000013"], "ns-000013", "000013", BOTH, 30,
     "DNS:000013.netid.fed.test, URI:spiffe://fed.test/member/acme/ns/000013"),
    (["--profile", "js", "--member", "acme", "--joineui", "70-B3-D5-7E-D0-00-00-01"], "js-70b3d57ed0000001",
     "70b3d57ed0000001", BOTH, 30,
     "DNS:1.0.0.0.0.0.0.d.e.7.5.d.3.b.0.7.joineui.fed.test, "
     "URI:spiffe://fed.test/member/acme/js/70b3d57ed0000001"),
    (["--profile", "broker", "--host", "host2"], "broker-host2", "broker.fed.test", BOTH, 90,
     "DNS:broker.fed.test, DNS:ca.fed.test, DNS:host2.fed.test, URI:spiffe://fed.test/broker"),
]


@pytest.mark.parametrize("args, name, cn, uses, days, names", PROFILES, ids=[p[1] for p in PROFILES])
def test_leaf_has_the_profiles_fields_and_verifies(acme, tmp_path, args, name, cn, uses, days, names):
    out = tmp_path / "out"
    issue(acme, out, *args, "--generate")
    chain, root = out / f"{name}.chain.pem", out / "root.pem"
    text = text_of(chain)
    assert f"Subject: O = {FED}, CN = {cn}\n" in text
    assert "Signature Algorithm: ecdsa-with-SHA256" in text and "NIST CURVE: P-256" in text
    ext = extensions(text)
    assert ext.keys() == {"X509v3 Basic Constraints", "X509v3 Key Usage", "X509v3 Extended Key Usage",
                          "X509v3 Subject Key Identifier", "X509v3 Authority Key Identifier",
                          "X509v3 Subject Alternative Name", "X509v3 CRL Distribution Points",
                          "Authority Information Access"}
    assert ext["X509v3 Basic Constraints"] == (True, "CA:FALSE")
    assert ext["X509v3 Key Usage"] == (True, "Digital Signature")
    assert ext["X509v3 Extended Key Usage"] == (False, uses)
    assert ext["X509v3 Subject Alternative Name"] == (False, names)
    assert seconds_of(chain) == days * 86400 + 300
    serial = openssl("x509", "-in", chain, "-noout", "-serial").strip().split("=")[1].lower()
    assert len(serial) == 32 and 0x40 <= int(serial[:2], 16) <= 0x7f

    pem = chain.read_text()
    assert pem.count("BEGIN CERTIFICATE") == 2 and root.read_bytes() == (acme.state / "root.pem").read_bytes()
    openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", root, "-untrusted", chain, chain)
    openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", root, "-untrusted", chain, chain,
            code=0 if uses == BOTH else 2)
    key = out / f"{name}.key"
    assert mode(key) == 0o600 and key.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert openssl("pkey", "-in", key, "-pubout") == openssl("x509", "-in", chain, "-noout", "-pubkey")


def test_private_key_never_leaves_the_members_host(acme, tmp_path):
    there, here = tmp_path / "member", tmp_path / "operator"
    acme.run("cert", "request", "--profile", "ns", "--member", "acme", "--netid", "000013", "--out", there)
    assert sorted(os.listdir(there)) == ["ns-000013.csr", "ns-000013.key"]
    assert mode(there / "ns-000013.key") == 0o600
    openssl("req", "-in", there / "ns-000013.csr", "-noout", "-verify")
    issue(acme, here, "--profile", "ns", "--member", "acme", "--netid", "000013", "--csr", there / "ns-000013.csr")
    assert sorted(os.listdir(here)) == ["ns-000013.chain.pem", "root.pem"]
    assert openssl("pkey", "-in", there / "ns-000013.key", "-pubout") == \
        openssl("x509", "-in", here / "ns-000013.chain.pem", "-noout", "-pubkey")
    acme.run("cert", "request", "--profile", "ns", "--member", "acme", "--netid", "000013", "--out", there, code=9)


@pytest.mark.parametrize("extra", ["basicConstraints=critical,CA:TRUE", "subjectAltName=DNS:broker.fed.test,IP:127.0.0.1",
                                   "extendedKeyUsage=anyExtendedKeyUsage", "keyUsage=critical,keyCertSign"])
def test_request_decides_nothing(acme, tmp_path, extra):
    key, csr = tmp_path / "k", tmp_path / "r"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    openssl("req", "-new", "-key", key, "-subj", "/O=evil/CN=000014", "-addext", extra, "-out", csr)
    issue(acme, tmp_path / "out", "--profile", "doh", "--member", "acme", "--csr", csr)
    text = text_of(tmp_path / "out/doh-acme.chain.pem")
    ext = extensions(text)
    assert "CN = acme\n" in text and "evil" not in text
    assert ext["X509v3 Basic Constraints"] == (True, "CA:FALSE")
    assert ext["X509v3 Key Usage"] == (True, "Digital Signature")
    assert ext["X509v3 Subject Alternative Name"][1] == \
        "DNS:acme.member.fed.test, URI:spiffe://fed.test/member/acme/doh"


@pytest.mark.parametrize("what, algorithm, options", [
    ("rsa-1024", "RSA", ["rsa_keygen_bits:1024"]),
    ("e-is-3", "RSA", ["rsa_keygen_bits:2048", "rsa_keygen_pubexp:3"]),
    ("p-521", "EC", ["ec_paramgen_curve:P-521"]),
    ("explicit", "EC", ["ec_paramgen_curve:P-256", "ec_param_enc:explicit"]),
])
def test_odd_keys_are_refused(acme, tmp_path, what, algorithm, options):
    key, csr = tmp_path / what, tmp_path / "r"
    openssl("genpkey", "-algorithm", algorithm, *sum((["-pkeyopt", o] for o in options), []), "-out", key)
    openssl("req", "-new", "-key", key, "-subj", "/CN=acme", "-out", csr)
    issue(acme, tmp_path / "out", "--profile", "doh", "--member", "acme", "--csr", csr, code=5)
    assert not (tmp_path / "out/doh-acme.chain.pem").exists()


@pytest.mark.parametrize("algorithm, options", [("EC", ["ec_paramgen_curve:P-384"]), ("ED25519", []),
                                                ("RSA", ["rsa_keygen_bits:2048"])])
def test_other_good_keys_are_certified(acme, tmp_path, algorithm, options):
    key, csr, out = tmp_path / "k", tmp_path / "r", tmp_path / "out"
    openssl("genpkey", "-algorithm", algorithm, *sum((["-pkeyopt", o] for o in options), []), "-out", key)
    openssl("req", "-new", "-key", key, "-subj", "/CN=acme", "-outform", "DER", "-out", csr)
    issue(acme, out, "--profile", "ns", "--member", "acme", "--netid", "000013", "--csr", csr)
    chain = out / "ns-000013.chain.pem"
    for purpose in "sslserver", "sslclient":
        openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", out / "root.pem", "-untrusted", chain, chain)


@pytest.mark.parametrize("spoil", [lambda d: d + b"junk", lambda d: d[:-1] + bytes([d[-1] ^ 1]), lambda d: d[:-1],
                                   lambda d: b"", lambda d: b"\x30" * 65536],
                         ids=["tail", "tampered", "truncated", "empty", "64KiB"])
def test_spoilt_requests_use_up_no_serial(acme, tmp_path, spoil):
    acme.run("cert", "request", "--profile", "doh", "--member", "acme", "--out", tmp_path)
    csr = tmp_path / "doh-acme.csr"
    openssl("req", "-in", csr, "-outform", "DER", "-out", tmp_path / "der")
    csr.write_bytes(spoil((tmp_path / "der").read_bytes()))
    before = rows(acme, "cert", "list")
    issue(acme, tmp_path / "out", "--profile", "doh", "--member", "acme", "--csr", csr, code=None)
    assert rows(acme, "cert", "list") == before
    assert not (tmp_path / "out/doh-acme.chain.pem").exists()


@pytest.mark.parametrize("args, code", [
    (["--profile", "doh", "--member", "nobody"], 7),
    (["--profile", "ns", "--member", "acme", "--netid", "000015"], 7),
    (["--profile", "ns", "--member", "acme"], 64),
    (["--profile", "doh"], 64),
    (["--profile", "web", "--member", "acme"], 64),
    (["--profile", "doh", "--member", "acme", "--lifetime", "31d"], None),
    (["--profile", "broker", "--host", "netid"], None),
    (["--profile", "broker", "--host", "a,DNS:b"], None),
    (["--profile", "doh", "--member", "a\nb"], None),
])
def test_refused_issues_leave_no_file(acme, tmp_path, args, code):
    out = tmp_path / "out"
    issue(acme, out, *args, "--generate", code=code)
    assert not out.exists() or os.listdir(out) == []


def test_nothing_is_overwritten_by_issue(acme, tmp_path):
    args = ["--profile", "doh", "--member", "acme", "--generate"]
    issue(acme, tmp_path, *args)
    before = {name: (tmp_path / name).read_bytes() for name in ("doh-acme.key", "doh-acme.chain.pem")}
    issue(acme, tmp_path, *args, code=9)
    assert all((tmp_path / name).read_bytes() == content for name, content in before.items())
    (tmp_path / "other").mkdir()
    (tmp_path / "other/root.pem").write_text("another federation's\n")
    issue(acme, tmp_path / "other", *args, code=9)


def test_revocation_and_rights(acme, tmp_path):
    issue(acme, tmp_path, "--profile", "doh", "--member", "acme", "--generate")
    issue(acme, tmp_path, "--profile", "ns", "--member", "acme", "--netid", "000013", "--generate")
    doh, = [r["serial"] for r in rows(acme, "cert", "list", "--member", "acme") if r["profile"] == "doh"]
    assert rows(acme, "cert", "set", doh, "--right", "lookup", "--right", "publish")["rights"] == ["lookup", "publish"]
    assert rows(acme, "cert", "show", doh)["rights"] == ["lookup", "publish"]
    assert rows(acme, "cert", "revoke", doh, "--dry-run")["revoked"] == 1
    assert rows(acme, "cert", "show", doh)["status"] == "issued"
    assert rows(acme, "cert", "revoke", doh, "--cause", "key-compromise", "--reason", "stolen")["revoked"] == 1
    assert rows(acme, "cert", "revoke", doh)["revoked"] == 0
    shown = rows(acme, "cert", "show", doh)
    assert (shown["status"], shown["cause"]) == ("revoked", "key-compromise")
    acme.run("--state", acme.state, "cert", "set", doh, "--right", "lookup", code=8)
    acme.run("--state", acme.state, "cert", "revoke", "00" * 16, code=7)
    # The key is blocked for good: a new request with it is refused.
    openssl("req", "-new", "-key", tmp_path / "doh-acme.key", "-subj", "/CN=acme", "-out", tmp_path / "again.csr")
    issue(acme, tmp_path / "again", "--profile", "doh", "--member", "acme", "--csr", tmp_path / "again.csr", code=5)
    acme.run("--state", acme.state, "cert", "revoke", "--member", "acme", code=64)  # nobody to ask
    assert rows(acme, "cert", "revoke", "--member", "acme", "--yes")["revoked"] == 1
    assert rows(acme, "cert", "list", "--status", "issued", "--member", "acme") == []


def test_list_filters(acme, tmp_path):
    issue(acme, tmp_path / "a", "--profile", "doh", "--member", "acme", "--generate", "--lifetime", "1h")
    issue(acme, tmp_path / "b", "--profile", "ns", "--member", "acme", "--netid", "000013", "--generate")
    assert [r["profile"] for r in rows(acme, "cert", "list", "--expiring", "2h")] == ["doh"]
    assert [r["profile"] for r in rows(acme, "cert", "list", "--netid", "000013")] == ["ns"]
    assert {r["profile"] for r in rows(acme, "cert", "list")} == {"broker", "doh", "ns"}
    acme.run("--state", acme.state, "cert", "list", "--status", "nonsense", code=64)
    pem = acme.run("--state", acme.state, "cert", "show", rows(acme, "cert", "list", "--netid", "000013")[0]["serial"],
                   "--pem").stdout
    assert (tmp_path / "b/ns-000013.chain.pem").read_text().startswith(pem)


# --- members ---

def test_member_add_is_idempotent_and_tells_the_prefix(acme):
    same = ["member", "add", "acme", "--netid", "000013", "--endpoint", "192.0.2.10:8005"]
    again = rows(acme, *same)
    assert again["changed"] is False
    assert (again["networks"][0]["devaddr_prefix"], again["networks"][0]["devaddrs"]) == ("26000000/7", 1 << 25)
    acme.run("--state", acme.state, "member", "add", "acme", "--netid", "000013", "--endpoint", "192.0.2.11:8005", code=9)
    acme.run("--state", acme.state, "member", "add", "acme", "--netid", "000014", code=9)


@pytest.mark.parametrize("netid, says", [("000000", "ChirpStack"), ("000001", "000001"), ("000113", "reserved bits"),
                                         ("000013", "acme"), ("nonsense", "NetID"), ("1000000", "NetID")])
def test_member_add_refuses_netids_and_says_why(acme, netid, says):
    done = subprocess.run([BIN / "fedroam", "--state", acme.state, "member", "add", "beta", "--netid", netid], env=ENV,
                          text=True, capture_output=True, check=False)
    assert done.returncode not in (0, 99) and says in done.stderr, done.stderr
    assert [m["id"] for m in rows(acme, "member", "list")] == ["acme"]


def test_shared_prefix_is_warned_of(acme):
    acme.run("--state", acme.state, "member", "add", "beta", "--netid", "600005")
    done = subprocess.run([BIN / "fedroam", "--state", acme.state, "member", "add", "gamma", "--netid", "600805"],
                          env=ENV, text=True, capture_output=True, check=True)
    assert "600005" in done.stderr and "prefix" in done.stderr


def test_netid_auto_comes_from_the_pool(fed, tmp_path):
    state = tmp_path / "pool"
    fed.run("ca", "init", "--fed", FED, "--state", state, "--netid-pool", "600100-600101")
    for member, netid in ("a", "600100"), ("b", "600101"):
        reply = json.loads(fed.run("--state", state, "member", "add", member, "--netid", "auto", "-o", "json").stdout)
        assert [n["netid"] for n in reply["networks"]] == [netid]
    fed.run("--state", state, "member", "add", "c", "--netid", "auto", code=7)
    fed.run("--state", state, "member", "add", "c", "--netid", "auto", "--netid", "auto", code=64)
    fed.run("--state", state, "member", "show", "c", code=7)


def test_member_set_never_touches_certificates(acme, tmp_path):
    issue(acme, tmp_path, "--profile", "ns", "--member", "acme", "--netid", "000013", "--generate")
    before = rows(acme, "cert", "list")
    acme.run("--state", acme.state, "member", "set", "acme", "--endpoint", "192.0.2.77:9000", "--org", "Acme Ltd",
             "--noc", "noc@acme.test", "--security", "sec@acme.test", "--netid", "000014")
    assert rows(acme, "cert", "list") == before
    shown = rows(acme, "member", "show", "acme")
    assert (shown["org"], shown["netids"]) == ("Acme Ltd", ["000013", "000014"])
    acme.run("--state", acme.state, "member", "set", "acme", "--remove-netid", "000013", code=9)  # has a certificate
    acme.run("--state", acme.state, "member", "set", "acme", "--remove-netid", "000014")
    acme.run("--state", acme.state, "member", "set", "nobody", "--org", "x", code=7)


def test_suspend_resume_remove(acme, tmp_path):
    acme.run("--state", acme.state, "member", "suspend", "acme", "--reason", "unpaid")
    assert rows(acme, "member", "show", "acme")["state"] == "suspended"
    issue(acme, tmp_path, "--profile", "doh", "--member", "acme", "--generate", code=5)
    acme.run("--state", acme.state, "member", "resume", "acme")
    issue(acme, tmp_path, "--profile", "doh", "--member", "acme", "--generate")
    acme.run("--state", acme.state, "member", "remove", "acme", code=64)  # no terminal to type the name on
    assert rows(acme, "member", "remove", "acme", "--dry-run")["state"] == "removed"
    assert rows(acme, "member", "show", "acme")["state"] == "active"
    acme.run("--state", acme.state, "member", "remove", "acme", "--yes")
    assert rows(acme, "member", "show", "acme")["state"] == "removed"
    assert {r["status"] for r in rows(acme, "cert", "list", "--member", "acme")} == {"revoked"}
    acme.run("--state", acme.state, "member", "add", "acme", code=9)
    acme.run("--state", acme.state, "member", "add", "beta", "--netid", "000013")  # the NetID is free again


def test_federation_is_found_by_name_and_never_mistaken(acme):
    acme.run("--state", acme.state, "--fed", FED, "member", "list")
    acme.run("--state", acme.state, "--fed", "other.test", "member", "list", code=9)
    acme.run("--state", acme.state, "--fed", "other.test", "member", "add", "beta", code=9)
    assert [m["id"] for m in rows(acme, "member", "list")] == ["acme"]
    acme.run("--state", acme.folder / "nowhere", "member", "list", code=7)


def test_the_same_through_a_running_broker(acme, tmp_path):
    acme.start_broker()
    issue(acme, tmp_path, "--profile", "ns", "--member", "acme", "--netid", "000013", "--generate")
    issue(acme, tmp_path, "--profile", "ns", "--member", "acme", "--netid", "000015", "--generate", code=7)
    assert not (tmp_path / "ns-000015.key").exists()
    serial, = [r["serial"] for r in rows(acme, "cert", "list", "--netid", "000013")]
    assert rows(acme, "cert", "revoke", serial, "--reason", "test")["revoked"] == 1
    acme.run("--state", acme.state, "member", "add", "beta", "--netid", "000013", code=9)
    acme.run("--state", acme.state, "member", "remove", "acme", "--yes")
    acme.run("--state", acme.state, "member", "add", "beta", "--netid", "000013")
    lines = [json.loads(line) for line in (acme.state / "audit.jsonl").read_text().splitlines()]
    assert any(line["op"] == "cert.issue" and line["actor"].startswith("local:") for line in lines)
    assert "PRIVATE KEY" not in (acme.state / "audit.jsonl").read_text()
