"""What must never happen, by the threat model: names that are more than a name, keys that others can read, state that a
crash leaves half done."""
import base64
import concurrent.futures
import json
import os
import random
import re
import subprocess
import threading
import time

import pytest

from fed import BIN, ENV, SOURCE, Federation, wait_until

LONG = bool(os.environ.get("FR_LONG"))
ODD = ["evil,DNS:good", "a;b", "a b", "a\nb", "@section", "a.", ".a", "a..b", "-a", "a-", "é", "\u202eabc", "a" * 64, "a/b", "a\\b", "*",
       "a=b", "a'b", 'a"b', "a\x1b[2J"]


@pytest.mark.parametrize("name", [*ODD, ".".join(["a" * 63] * 4), "a" * 254])
def test_a_federations_name_is_a_name(tmp_path, name):
    """T5: it stands in every certificate."""
    done = subprocess.run([str(BIN / "fedroam"), "ca", "init", "--fed", name, "--state", str(tmp_path / "s")], env=ENV,
                          capture_output=True, text=True, check=False)
    assert done.returncode in (64, 65), (name, done.stderr)
    assert not (tmp_path / "s").exists()


def admin(fed, op, args):
    """An operation over control.sock: (status, reply)."""
    path = re.search(r'FR_ADMIN_PATH "([^"]+)"', (SOURCE / "broker/admin/message.h").read_text())[1]
    done = subprocess.run(["curl", "-sS", "--unix-socket", str(fed.state / "control.sock"), "-H", "content-type: application/json",
                           "--data-binary", json.dumps({"args": args}), "-w", "\n%{http_code}", f"http://localhost{path}{op}"],
                          capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_names_of_members_and_hosts_are_names(fed):
    """T5: commas, NUL, bidi, control characters, 254 octets; over control.sock, which takes any text."""
    fed.start_broker()
    fed.member("acme", "000013")
    before = fed.json("cert", "list")
    for name in [*ODD, "a\0b", "a" * 254, ""]:
        assert admin(fed, "member.add", {"id": name})[0] == 400, name
        assert admin(fed, "token.create", {"member": "acme", "profiles": ["doh"], "host": name})[0] == 400, name
        assert admin(fed, "token.create", {"member": name, "profiles": ["doh"]})[0] in (400, 404), name
    for text in ("a\0b", "a\x1b[2J", "x" * 4096):
        assert admin(fed, "member.add", {"id": "fine", "org": text})[0] in (400, 413), text
    assert [m["id"] for m in fed.json("member", "list")] == ["acme"]
    assert fed.json("cert", "list") == before
    assert fed.json("token", "list") == []


@pytest.mark.parametrize("which", ["server.key", "ca/*.key"])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_the_broker_does_not_start_on_a_key_that_others_can_read(fed, which, mode):
    """T11."""
    key = next(fed.state.glob(which))
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(mode)
    fed.write_config()
    done = subprocess.run([str(BIN / "fedroam-broker"), "--config", str(fed.config)], env=ENV, capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 78 and key.name in done.stderr, done.stderr


# --- lists and certificates from elsewhere ---

def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def test_a_ca_certificate_with_a_weak_signature_or_key_is_not_installed(fed, tmp_path):
    """T22: the root's key signs what it is given; what comes back to the broker is looked at."""
    root_key = (fed.state / "root.key").rename(tmp_path / "root.key")
    fed.cli("ca", "intermediate", "prepare", "--out", tmp_path)
    csr, = tmp_path.glob("*.csr")
    extensions = tmp_path / "x.cnf"
    (tmp_path / "out").mkdir()
    fed.run("ca", "root", "sign", "--fed", fed.name, "--root", fed.root, "--root-key", root_key, "--csr", csr, "--out", tmp_path / "out", "--transcript",
            tmp_path / "t.txt")
    good, = (tmp_path / "out").glob("*.pem")
    extensions.write_text("basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
                          "extendedKeyUsage=serverAuth,clientAuth\nnameConstraints=critical,permitted;DNS:fed.test\n")
    for name, more in (("sha1", ["-sha1"]), ("other-key", [])):
        weak, request = tmp_path / f"{name}.pem", csr
        if name == "other-key":
            request = tmp_path / "rsa.csr"
            openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", tmp_path / "rsa.key", "-subj", "/CN=x", "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", fed.root, "-CAkey", root_key, "-days", "365", "-extfile", extensions, "-out", weak,
                *more)
        done = fed.cli("ca", "intermediate", "install", weak, code=None)
        assert done.returncode in (5, 9, 65), f"{name}: {done.returncode} {done.stderr}"
    fed.cli("ca", "intermediate", "install", good)


def test_a_list_that_is_old_or_anothers_is_not_taken(fed, tmp_path):
    """T32: signature, issuer, number, length."""
    def root_list(of, previous, out):
        of.run("ca", "root", "crl", "--root", of.root, "--root-key", of.state / "root.key", "--previous", previous, "--out", out)
        return out
    first = tmp_path / "first.crl"
    first.write_bytes((fed.state / "crl/root.crl").read_bytes())
    second = root_list(fed, first, tmp_path / "second.crl")
    fed.cli("ca", "crl", "install", second)
    (tmp_path / "other").mkdir()
    other = Federation(tmp_path / "other", "fed.other").init()
    foreign = root_list(other, other.state / "crl/root.crl", tmp_path / "foreign.crl")
    whole = second.read_bytes()
    spoilt, long, cut = (tmp_path / f"{name}.crl" for name in ("spoilt", "long", "cut"))
    spoilt.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    long.write_bytes(whole + bytes(6_000_000))
    cut.write_bytes(whole[:-1])
    for bad in (first, foreign, spoilt, long, cut):
        done = fed.cli("ca", "crl", "install", bad, code=None)
        assert done.returncode not in (0, 70), f"{bad.name}: {done.stderr}"
        assert (fed.state / "crl/root.crl").read_bytes() == whole, bad.name


# --- crashes ---

def no_critical(fed):
    """doctor --deep finds nothing broken; that the root's key is still here, and the like, is no damage."""
    done = fed.cli("-o", "json", "doctor", "--deep", code=None)
    told = json.loads(done.stdout)
    broken = [t for t in told if t["level"] == "critical" and t["check"] in ("store", "audit", "files", "ca", "key")]
    assert done.returncode in (0, 2, 3) and not broken, broken

class Issuer:
    """Issues and revokes at a broker that is killed again and again; remembers what it was told."""

    def __init__(self, fed, csr):
        self.fed, self.csr = fed, csr
        self.issued, self.revoked = set(), set()
        self.over = threading.Event()
        source = (SOURCE / "broker/admin/message.h").read_text()
        self.kind = re.search(r'FR_ADMIN_FRAME_TYPE "([^"]+)"', source)[1]
        self.path = re.search(r'FR_ADMIN_PATH "([^"]+)"', source)[1]

    def post(self, op, args, body=b""):
        envelope = json.dumps({"args": args}).encode()
        content = (len(envelope).to_bytes(4, "big") if body else b"") + envelope + body
        done = subprocess.run(["curl", "-sS", "--max-time", "10", "--unix-socket", str(self.fed.state / "control.sock"), "-H",
                               f"content-type: {self.kind if body else 'application/json'}", "--data-binary", "@-", "-f",
                               f"http://localhost{self.path}{op}"], input=content, capture_output=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout else None

    def run(self):
        while not self.over.is_set():
            reply = self.post("cert.issue", {"profile": "ns", "member": "acme", "netid": "000013"}, self.csr)
            if not reply:
                time.sleep(0.01)
                continue
            self.issued.add(reply["serial"])
            if len(self.issued) % 3 == 0 and self.post("cert.revoke", {"serial": reply["serial"]}):
                self.revoked.add(reply["serial"])


def test_a_kill_at_any_moment_leaves_nothing_half_done(tmp_path):
    """T2, T3, T12: whatever was handed out is known, what was revoked stays so, what was not finished is worth nothing,
    no TLSA record is left over, and the audit trail tells of every certificate."""
    fed = Federation(tmp_path, workers=1).init()
    fed.member("acme", "000013")
    key, csr = tmp_path / "k.key", tmp_path / "k.der"
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-subj", "/", "-outform", "DER", "-out", csr], check=True, capture_output=True)
    rounds = 500 if LONG else 10
    issuers = [Issuer(fed, csr.read_bytes()) for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(i.run) for i in issuers]
        try:
            for _ in range(rounds):
                fed.start_broker()
                had = sum(len(i.issued) for i in issuers)
                wait_until(lambda had=had: sum(len(i.issued) for i in issuers) > had, 30, "a certificate")
                time.sleep(random.random() * 0.1)
                fed.broker.kill()
        finally:
            for i in issuers:
                i.over.set()
            for r in running:
                r.result(60)
    issued = set.union(*(i.issued for i in issuers))
    revoked = set.union(*(i.revoked for i in issuers))
    status = {c["serial"]: c["status"] for c in fed.json("cert", "list", "--member", "acme")}
    assert issued <= status.keys()
    assert {status[s] for s in issued - revoked} <= {"issued", "revoked"} and all(status[s] == "revoked" for s in revoked)
    assert " 0 damages" in fed.cli("zone", "check", code=None).stderr
    assert "the chain holds" in fed.cli("audit", "verify").stdout
    lines = [json.loads(l) for l in (fed.state / "audit.jsonl").read_text().splitlines()]
    told = {l["result"]["serial"] for l in lines if l["op"] == "cert.issue" and l["outcome"] == "done"}
    meant = {l["result"]["serial"] for l in lines if l["op"] == "cert.issue" and l["outcome"] == "intent"}
    assert issued <= told <= meant
    # A certificate exists only where the trail has its intent.
    assert {s for s, word in status.items() if word == "issued"} <= meant
    no_critical(fed)


def test_a_token_survives_kills_and_gives_one_certificate(tmp_path):
    """T8, T12: one request, sent again and again to a broker that dies meanwhile."""
    fed = Federation(tmp_path, workers=1).init()
    fed.member("acme", "000013")
    key, csr = tmp_path / "k.key", tmp_path / "k.b64"
    der = subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                          key, "-subj", "/", "-outform", "DER"], check=True, capture_output=True).stdout
    csr.write_bytes(base64.b64encode(der))
    for round_ in range(100 if LONG else 4):
        _, facts, secret = fed.cli("token", "create", "--member", "acme", "--profile", "doh").stdout.strip().split(".")
        ident = json.loads(base64.urlsafe_b64decode(facts + "=="))["id"]
        ask = ["curl", "-sS", "--http1.1", "--max-time", "10", "--cacert", str(fed.root), "-H",
               "Content-Type: application/pkcs10", "-u", f"{ident}:{secret}", "--data-binary", f"@{csr}", "--resolve",
               f"ca.{fed.name}:{fed.port}:127.0.0.1", "-f", f"https://ca.{fed.name}:{fed.port}/.well-known/est/doh/simpleenroll"]
        fed.start_broker()
        first = subprocess.Popen(ask, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(random.random() * 0.08)
        fed.broker.kill()
        early, _ = first.communicate()
        fed.start_broker()
        again = subprocess.run(ask, capture_output=True, check=False)
        assert again.returncode == 0, again.stderr
        if first.returncode == 0:
            assert early == again.stdout
        certs = [c for c in fed.json("cert", "list", "--member", "acme") if c["status"] == "issued"]
        assert len(certs) == round_ + 1
        fed.stop()


@pytest.mark.parametrize("end", ["retire", "taint"])
def test_a_kill_while_an_issuing_ca_is_retired(tmp_path, end):
    """T12: hundreds of certificates hang below it. Whatever moment it is, the store is whole, and the same command again ends it."""
    fed = Federation(tmp_path, workers=1).init()
    fed.member("acme", "000013")
    key, csr = tmp_path / "k.key", tmp_path / "k.der"
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj", "/", "-outform", "DER", "-out", csr)
    issuer = Issuer(fed, csr.read_bytes())
    for _ in range(40 if LONG else 1):
        fed.start_broker()
        old = next(a["name"] for a in fed.json("ca", "list") if a["state"] == "active" and a["name"] != "root")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            args = {"profile": "ns", "member": "acme", "netid": "000013"}
            made = list(pool.map(lambda _: issuer.post("cert.issue", args, issuer.csr)["serial"], range(450 if LONG else 220)))
        fed.cli("ca", "intermediate", "prepare", "--out", tmp_path / "out")
        new = max(a["name"] for a in fed.json("ca", "list") if a["name"] != "root")
        fed.cli("ca", "intermediate", "activate", new)
        asking = threading.Thread(target=issuer.post, args=(f"ca.{end}", {"name": old, **({"force": True} if end == "retire" else {})}))
        asking.start()
        time.sleep(random.random() * 0.15)
        fed.broker.kill()
        asking.join()
        assert " 0 damages" in fed.cli("zone", "check", code=None).stderr
        no_critical(fed)
        fed.start_broker()
        fed.cli("ca", "intermediate", end, old, *(["--force", "--yes"] if end == "retire" else []), code=None)
        status = {c["serial"]: c["status"] for c in fed.json("cert", "list", "--member", "acme")}
        assert {status[serial] for serial in made} == ({"revoked"} if end == "retire" else {"issued"})
        assert {a["name"]: a["state"] for a in fed.json("ca", "list")}[old] == ("retired" if end == "retire" else "tainted")
        no_critical(fed)
        fed.stop()
    assert "the chain holds" in fed.cli("audit", "verify").stdout
