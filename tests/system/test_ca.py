"""Issuing CAs: the root elsewhere, a rotation, locked keys; the broker's own certificate."""
import json
import os
import socket
import ssl
import stat
import subprocess
import time

import pytest

from fed import BIN, ENV, Cert, Federation, free_port, wait_until
from test_est import csr_of, enroll, fields, new_key, one_line, openssl, token, certs_in

PASSPHRASE = "correct horse battery staple"


def cas(fed):
    """The issuing ones, by name."""
    return {row["name"]: row for row in fed.json("ca", "list") if row["kind"] == "issuing"}


def certificate(fed, folder, pem, key, issuer):
    """What EST answered, as files."""
    folder.mkdir()
    cert = Cert(folder, "x", "y")
    cert.key, cert.root = key, fed.root
    cert.chain.write_text(pem + (fed.state / f"ca/{issuer}.pem").read_text())
    return cert


def ceremony(fed, folder, *more):
    """Signs what waits, from files alone: nothing of the state directory but the requests and root.pem."""
    away = folder / "away"
    away.mkdir(exist_ok=True)
    (away / "root.pem").write_bytes(fed.root.read_bytes())
    csrs = [a for csr in sorted((fed.state / "ca").glob("*.csr")) for a in ("--csr", csr)]
    fed.run("ca", "root", "sign", "--fed", fed.name, "--root", away / "root.pem", "--root-key", folder / "root.key", *csrs,
            "--out", away, "--transcript", away / f"t{time.monotonic_ns()}.txt", *more)
    return sorted(p for p in away.glob("*.pem") if p.name != "root.pem")


@pytest.fixture
def apart(tmp_path):
    """A federation whose root key was never in its state directory; member acme."""
    fed = Federation(tmp_path)
    fed.init("--root-out", tmp_path / "root.key")
    fed.member("acme", "000013", "127.0.0.1:8005")
    yield fed
    fed.stop()


# --- a ceremony ---

def test_a_ceremony_needs_files_alone(apart, tmp_path):
    assert not (apart.state / "root.key").exists()
    apart.cli("ca", "intermediate", "prepare", "--dry-run")
    assert list((apart.state / "ca").glob("*.csr")) == []
    out = tmp_path / "usb"
    out.write_text("no folder")
    apart.cli("ca", "intermediate", "prepare", "--out", out, code=73)  # and nothing is prepared
    assert list((apart.state / "ca").glob("*.csr")) == []
    out.unlink()
    apart.cli("ca", "intermediate", "prepare", "--count", "2", "--out", out)
    first, second = sorted(p.stem for p in out.glob("*.csr"))
    for name in (first, second):
        assert stat.S_IMODE(os.stat(apart.state / f"ca/{name}.key").st_mode) == 0o600
        assert cas(apart)[name]["state"] == "prepared"
        assert b"verify OK" in subprocess.run(["openssl", "req", "-in", out / f"{name}.csr", "-noout", "-verify"],
                                              capture_output=True, check=True).stderr
    apart.cli("ca", "intermediate", "activate", first, code=9)
    certs = ceremony(apart, tmp_path, "--every", "365d", "--by", "Ada and Grace")
    assert [c.stem for c in certs] == [first, second]
    text = next((tmp_path / "away").glob("t*.txt")).read_text()
    for cert in certs:
        pem = cert.read_text()
        assert pem in text and fields(pem, "-serial").split("=")[1].lower() in text
        assert fields(pem, "-fingerprint", "-sha256").split("=")[1].replace(":", "").lower() in text
        shown = openssl("x509", "-noout", "-text", data=pem.encode()).decode()
        assert "URI:http://crl.fed.test/root.crl" in shown and "Permitted:" in shown and "IP:0.0.0.0/0.0.0.0" in shown
    assert "Ada and Grace" in text
    apart.cli("ca", "intermediate", "install", *certs)
    apart.cli("ca", "intermediate", "install", certs[0], code=9)
    apart.cli("ca", "intermediate", "activate", second, code=None)
    assert cas(apart)[second]["state"] == "ready", "its time has not come"
    apart.cli("ca", "intermediate", "activate", first)
    leaf = apart.cert("doh", member="acme")
    assert "verify" not in subprocess.run(["openssl", "verify", "-CAfile", apart.root, "-untrusted", apart.state / f"ca/{first}.pem",
                                           leaf.chain], capture_output=True, text=True, check=True).stderr
    shown = apart.json("ca", "show", first)
    assert (shown["state"], shown["live"], shown["members"]) == ("active", 1, ["acme"])


def test_a_wrong_root_or_request_is_refused(apart, tmp_path):
    other = Federation(tmp_path / "o", name="other.test")
    (tmp_path / "o").mkdir()
    other.init()
    apart.cli("ca", "intermediate", "prepare")
    name, = [n for n, row in cas(apart).items() if row["state"] == "prepared"]
    csr = apart.state / f"ca/{name}.csr"
    sign = ("ca", "root", "sign", "--csr", csr, "--out", tmp_path)
    key = tmp_path / "root.key"
    for args in (("--fed", "other.test", "--root", apart.root, "--root-key", key),
                 ("--root", apart.root, "--root-key", other.state / "root.key"),
                 ("--root", apart.state / f"ca/{next(iter(cas(apart)))}.pem", "--root-key", key),
                 ("--root", apart.root, "--root-key", "pkcs11:token=x"), ("--root-key", key), ("--root", apart.root)):
        done = apart.run(*sign, *args, code=None)
        assert done.returncode not in (0, 70) and done.stderr, args
    assert list(tmp_path.glob("*.pem")) == []
    done = apart.run("ca", "root", "sign", "--fed", "other.test", "--root", other.root, "--root-key", other.state / "root.key",
                     "--csr", csr, "--out", tmp_path)
    done = apart.cli("ca", "intermediate", "install", tmp_path / f"{name}.pem", code=None)
    assert done.returncode != 0 and "not issued by the root" in done.stderr


def test_with_the_root_key_at_hand_one_step_is_enough(fed):
    fed.cli("ca", "intermediate", "prepare")
    name, = [n for n, row in cas(fed).items() if row["state"] == "ready"]
    fed.cli("ca", "intermediate", "activate", name)
    fed.cli("ca", "server", "renew")
    old, = [n for n, row in cas(fed).items() if row["state"] == "tainted"]
    fed.cli("ca", "intermediate", "retire", old, code=9)
    fed.cli("ca", "root", "crl", "--revoke", old, code=64)
    fed.cli("ca", "root", "crl", "--revoke", old, "--dry-run")
    assert cas(fed)[old]["state"] == "tainted"
    ended = fed.json("ca", "root", "crl", "--revoke", old, "--yes")
    assert (ended["ended"], ended["revoked"], ended["entries"]) == ([old], 1, 1)
    assert cas(fed)[old]["state"] == "revoked"
    again = fed.json("ca", "crl", "install", fed.state / "crl/root.crl")
    assert (again["changed"], again["names"], again["revoked"]) == (False, [], 0), "the same once more ends a sweep that was cut short"
    assert json.loads((fed.state / "audit.jsonl").read_text().splitlines()[-1])


# --- a rotation, while a member works ---

def test_a_rotation_locks_nobody_out(apart, tmp_path):
    acme = apart.cert("doh", member="acme")
    apart.ca, apart.crl_port = f"ca.{apart.name}", free_port()
    apart.start_broker(listen=[f"  - {{address: 127.0.0.1, port: {apart.port}, serve: https}}",
                               f"  - {{address: 127.0.0.1, port: {apart.crl_port}, serve: crl}}"])

    def works(cert):
        return apart.query("000013.netid.fed.test", "A", cert).answer

    def shown_issuer():
        context = ssl.create_default_context(cafile=str(apart.root))
        with socket.create_connection(("127.0.0.1", apart.port)) as raw, \
                context.wrap_socket(raw, server_hostname=apart.ca) as tls:
            return dict(part[0] for part in tls.getpeercert()["issuer"])["commonName"]

    old, = [n for n, row in cas(apart).items() if row["state"] == "active"]
    assert works(acme) and old in shown_issuer()
    apart.cli("ca", "intermediate", "prepare")
    assert works(acme)
    cert, = ceremony(apart, tmp_path)
    apart.cli("ca", "intermediate", "install", cert)
    assert works(acme)
    new = cert.stem
    apart.cli("ca", "intermediate", "activate", new)
    assert works(acme), "what the old one signed is good"
    wait_until(lambda: new in shown_issuer(), 20, "the broker's own certificate below the new CA")
    assert works(acme)
    for name in (old, new, "root"):
        status = wait_until(lambda n=name: subprocess.run(
            ["curl", "-sS", "-o", tmp_path / f"{n}.crl", "-w", "%{http_code}", f"http://127.0.0.1:{apart.crl_port}/{n}.crl"],
            capture_output=True, text=True, check=True).stdout == "200", 10, f"the list of {name}")
        assert status
        issuer = apart.root if name == "root" else apart.state / f"ca/{name}.pem"
        checked = subprocess.run(["openssl", "crl", "-in", tmp_path / f"{name}.crl", "-inform", "DER", "-noout", "-CAfile", issuer],
                                 capture_output=True, text=True, check=True)
        assert "verify OK" in checked.stderr
    names = [fields(p, "-subject") for p in certs_in(apart.curl("--http1.1", host=apart.ca, path="/.well-known/est/cacerts")[2])]
    assert len(names) == 3 and any(old in n for n in names) and any(new in n for n in names)
    status, _, body = enroll(apart, one_line(csr_of(acme.key, subject="/")), op="simplereenroll", cert=acme)
    assert status == 200 and f"Issuing CA {new}" in fields(certs_in(body)[0], "-issuer")
    renewed = certificate(apart, tmp_path / "renewed", certs_in(body)[0], acme.key, new)
    assert works(renewed)
    apart.cli("ca", "intermediate", "retire", old, code=9)
    apart.cli("ca", "intermediate", "retire", old, "--force", "--yes")
    status, _, text = apart.query_raw("000013.netid.fed.test", "A", acme)
    assert status == 403 and b"revoked" in text
    assert works(renewed)


def test_the_server_certificate_is_renewed_before_it_ends(fed):
    """One whose last third has begun is renewed at once, and shown without a restart."""
    fed.member("acme", "000013", "127.0.0.1:8005")
    acme = fed.cert("doh", member="acme")
    host = next(row["host"] for row in fed.json("cert", "list") if row["profile"] == "broker")
    out = fed.folder / "short"
    fed.cli("cert", "issue", "--profile", "broker", "--host", host, "--generate", "--lifetime", "2m", "--out", out)
    chain, key = fed.state / "server.chain.pem", fed.state / "server.key"
    for file, source in ((chain, out / f"broker-{host}.chain.pem"), (key, out / f"broker-{host}.key")):
        file.write_bytes(source.read_bytes())
    before, serial = key.read_bytes(), fields(chain.read_text(), "-serial")

    fed.start_broker()
    wait_until(lambda: fields(chain.read_text(), "-serial") != serial, 15, "the renewal")
    assert key.read_bytes() == before, "its key stays, for whoever pins it"
    served = f'fedroam_certificate_expiry_seconds{{certificate="server",federation="fed.test"}}'
    wait_until(lambda: any(v > 80 * 86400 for k, v in fed.metrics().items() if "expiry" in k and '"server"' in k), 15,
               f"{served} to be of the new one")
    assert '"op":"server.renew"' in (fed.state / "audit.jsonl").read_text()
    fed.cli("ca", "server", "renew", "--new-key")
    assert key.read_bytes() != before and not (fed.state / "server.key.next").exists()
    pin = openssl("pkey", "-in", key, "-pubout")
    shown = ssl.create_default_context(cafile=str(fed.root))

    def is_shown():
        with socket.create_connection(("127.0.0.1", fed.port)) as raw, shown.wrap_socket(raw, server_hostname="ca.fed.test") as tls:
            der = tls.getpeercert(binary_form=True)
        return openssl("x509", "-inform", "DER", "-noout", "-pubkey", data=der) == pin
    wait_until(is_shown, 15, "the new key on the wire")
    assert fed.query("000013.netid.fed.test", "A", acme).answer


# --- locked keys ---

def with_passphrase(*args, text=PASSPHRASE, code=0):
    """fedroam with the passphrase on a descriptor."""
    read, write = os.pipe()
    os.write(write, text.encode() + b"\n")
    os.close(write)
    done = subprocess.run([str(BIN / "fedroam"), *map(str, args), "--passphrase-fd", str(read)], pass_fds=[read], env=ENV,
                          capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL, start_new_session=True)
    os.close(read)
    assert done.returncode == code or code is None and done.returncode, done.stdout + done.stderr
    return done


def test_locked_keys(tmp_path):
    fed = Federation(tmp_path)
    fed.ca = f"ca.{fed.name}"
    with_passphrase("ca", "init", "--fed", fed.name, "--state", fed.state, "--url", fed.url)
    key = next((fed.state / "ca").glob("*.key"))
    assert "BEGIN ENCRYPTED PRIVATE KEY" in key.read_text() and cas(fed)[key.stem]["key"] == "locked"
    assert PASSPHRASE not in "".join(p.read_text(errors="replace") for p in fed.state.rglob("*") if p.is_file())
    subprocess.run(["openssl", "pkey", "-in", key, "-passin", f"pass:{PASSPHRASE}", "-noout"], check=True)
    fed.member("acme", "000013", "127.0.0.1:8005")
    issue = ("--state", fed.state, "cert", "issue", "--profile", "doh", "--member", "acme", "--generate", "--out")
    no_tty = subprocess.run([str(BIN / "fedroam"), *map(str, issue), str(tmp_path / "no")], env=ENV, capture_output=True, text=True,
                            check=False, stdin=subprocess.DEVNULL, start_new_session=True)
    assert no_tty.returncode != 0 and "passphrase" in no_tty.stderr
    assert "not the passphrase" in with_passphrase(*issue, tmp_path / "no", text="wrong", code=None).stderr
    with_passphrase(*issue, tmp_path / "c")
    acme = Cert(tmp_path / "c", "doh", "acme")
    with_passphrase("--state", fed.state, "ca", "intermediate", "prepare")
    assert "ENCRYPTED" in (fed.state / f"ca/{max(cas(fed))}.key").read_text()

    fed.start_broker()  # without: look-ups work, enrolment says why not
    assert fed.query("000013.netid.fed.test", "A", acme).answer
    fed.broker.wait_for("ca.unavailable")
    assert "passphrase" in fed.broker.text()
    basic, body = token(fed), one_line(csr_of(new_key(tmp_path)))
    status, head, text = enroll(fed, body, basic=basic)
    assert status == 503 and b"locked" in text and int(head["retry-after"]) > 0
    fed.stop()

    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "ca-passphrase").write_text(PASSPHRASE + "\n")
    os.environ["CREDENTIALS_DIRECTORY"] = ENV["CREDENTIALS_DIRECTORY"] = str(credentials)
    try:
        fed.start_broker()
        assert enroll(fed, body, basic=basic)[0] == 200, "the same request as before"
        fed.stop()
    finally:
        del os.environ["CREDENTIALS_DIRECTORY"], ENV["CREDENTIALS_DIRECTORY"]
