"""Backups of a whole federation, and restoring one without turning back time."""
import base64
import datetime
import hashlib
import json
import os
import shutil
import subprocess

import pytest

from fed import BIN, ENV, Federation, wait_until

SECRET = "correct horse battery staple"
EST = "/.well-known/est"


def with_secret(fed, *args, code=0, secret=SECRET, state=None):
    """fedroam with the backup's passphrase on a descriptor."""
    read, write = os.pipe()
    os.write(write, secret.encode() + b"\n")
    os.close(write)
    command = [str(BIN / "fedroam"), "--state", str(state or fed.state), *map(str, args), "--backup-passphrase-fd", str(read)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=ENV, pass_fds=[read], timeout=120, check=False)
    finally:
        os.close(read)
    assert done.returncode != 99, done.stderr
    assert code is None or done.returncode == code, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def create(fed, name="fed.frb"):
    path = fed.folder / name
    told = json.loads(with_secret(fed, "-o", "json", "backup", "create", "--out", path).stdout)
    return path, told


def new_token(fed, member="acme"):
    text = fed.cli("token", "create", "--member", member, "--profile", "doh").stdout.strip()
    _, facts, secret = text.split(".")
    return json.loads(base64.urlsafe_b64decode(facts + "=="))["id"], secret


def enrol(fed, token):
    """Status of an enrolment with a new key."""
    key, csr = fed.folder / "enrol.key", fed.folder / "enrol.csr"
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-subj", "/", "-outform", "DER", "-out", csr], check=True, capture_output=True)
    body = fed.folder / "enrol.b64"
    body.write_bytes(base64.encodebytes(csr.read_bytes()))
    status, _, _ = fed.curl("-u", ":".join(token), "-H", "Content-Type: application/pkcs10", "--data-binary", f"@{body}",
                            host=f"ca.{fed.name}", path=f"{EST}/simpleenroll")
    return status


def asks(fed, cert):
    return fed.query_raw("70b3d57ed0000001.deveui.fed.test", "A", cert)


@pytest.fixture
def acme(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", ["70b3d57ed0000001"])
    return fed


def test_a_backup_is_made_while_the_broker_works_and_verified(acme):
    acme.cert("doh", member="acme")
    acme.start_broker()
    path, told = create(acme)
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() and told["bytes"] == path.stat().st_size
    assert (told["devices"], told["members"]) == (1, 1) and path.stat().st_mode & 0o777 == 0o600
    seen = json.loads(with_secret(acme, "-o", "json", "backup", "verify", path).stdout)
    assert (seen["faults"], seen["keys"], seen["devices"], seen["sha256"]) == (0, 1, 1, told["sha256"])
    assert not list(acme.folder.glob("verify-*")) and not list(acme.state.glob("backup-*"))
    with_secret(acme, "backup", "create", "--out", path, code=9)
    with_secret(acme, "backup", "verify", path, secret="another one", code=65)


def test_nothing_of_it_can_be_read_or_changed(acme):
    path, _ = create(acme)
    whole = path.read_bytes()
    assert b"acme" not in whole and b"PRIVATE KEY" not in whole and b"audit" not in whole
    bad = acme.folder / "bad.frb"
    for i, changed in enumerate((whole[:-1], whole + b"x", whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
                    whole[:20] + bytes([whole[20] ^ 1]) + whole[21:], b"FRSEAL1\0" + b"\xff" * 100)):
        bad.write_bytes(changed)
        done = with_secret(acme, "backup", "verify", bad, code=65)
        assert done.stderr
        if i < 2:
            with_secret(acme, "restore", bad, "--forget-revocations", state=acme.folder / "out", code=65)
    assert not (acme.folder / "out").exists() and not list(acme.folder.glob("out.*"))
    # A key that does not fit is named.
    key, = [p for p in (acme.state / "ca").glob("*.key")]
    other = acme.folder / "other.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other], check=True,
                   capture_output=True)
    shutil.copyfile(other, key)
    path, _ = create(acme, "two.frb")
    assert "issuing CA" in with_secret(acme, "backup", "verify", path, code=1).stderr


@pytest.mark.parametrize("with_audit", [True, False])
def test_a_restore_is_no_time_machine(acme, with_audit):
    old = [acme.cert("doh", member="acme", folder=acme.folder / f"old{i}") for i in range(5)]
    tokens = [new_token(acme) for _ in range(3)]
    untouched = new_token(acme)
    acme.start_broker()
    path, _ = create(acme)
    # After the backup: 10 are issued, 5 are revoked, 3 tokens are used.
    new = [acme.cert("doh", member="acme", folder=acme.folder / f"new{i}") for i in range(10)]
    for cert in old:
        acme.cli("cert", "revoke", cert.serial, "--reason", "stolen")
    assert [enrol(acme, t) for t in tokens] == [200, 200, 200]
    lists = lambda: sorted(p for p in (acme.state / "crl").glob("*.crl") if p.name != "root.crl")
    wait_until(lambda: lists() and all(bytes.fromhex(c.serial) in lists()[0].read_bytes() for c in old), what="the list")
    crl, = lists()
    number = json.loads(acme.cli("-o", "json", "ca", "crl", "show").stdout)
    acme.stop()
    lost = acme.folder / "lost"
    acme.state.rename(lost)
    more = ["--audit", lost / "audit.jsonl"] if with_audit else ["--crl", lost / "crl" / crl.name]
    told = json.loads(with_secret(acme, "-o", "json", "restore", path, *more).stdout)
    assert told["tokens_ended"] == 4 and told["revoked"] == 5
    assert "the chain holds" in acme.cli("audit", "verify").stdout
    acme.start_broker()
    assert [asks(acme, c)[0] for c in old] == [403] * 5
    assert [enrol(acme, t) for t in [*tokens, untouched]] == [401] * 4
    if with_audit:
        assert told["adopted"] == 13
    else:
        for cert in new:
            status, _, body = asks(acme, cert)
            assert status == 403 and b"issued after the restored backup" in body
        shown = {}
        def seen():
            for cert in new:
                if cert.serial not in shown:
                    asks(acme, cert)
            shown.update({row["serial"]: row for row in acme.json("cert", "list", "--unknown")})
            return len(shown) == 10
        wait_until(seen, 60, "ten unknown certificates")
        assert all(row["after_backup"] for row in shown.values())
        for cert in new[:5]:
            acme.cli("cert", "adopt", "--serial", cert.serial, "--reason", "restored")
        for cert in new[5:]:
            assert "adopted" in acme.cli("cert", "adopt", cert.chain).stdout
        assert acme.json("cert", "list", "--unknown") == []
        # What the list revoked stays revoked.
        acme.cli("cert", "adopt", old[0].chain, code=8)
    assert [asks(acme, c)[0] for c in new] == [200] * 10
    assert [asks(acme, c)[0] for c in old] == [403] * 5
    later = json.loads(acme.cli("-o", "json", "ca", "crl", "show").stdout)
    first = lambda told: (told[0] if isinstance(told, list) else told)["number"]
    assert first(later) > first(number)


def test_what_restore_refuses(acme):
    path, _ = create(acme)
    with_secret(acme, "restore", path, state=acme.folder / "out", code=65)
    with_secret(acme, "restore", path, "--forget-revocations", code=9)
    acme.cli("member", "set", "acme", "--org", "one")
    # A trail that was edited, one that does not reach back, one of somebody else, a list of somebody else.
    trail = acme.state / "audit.jsonl"
    edited = acme.folder / "edited.jsonl"
    edited.write_text(trail.read_text().replace('\\"one\\"', '\\"two\\"'))
    acme.cli("member", "set", "acme", "--org", "three")
    gap = acme.folder / "gap.jsonl"
    gap.write_text(trail.read_text().splitlines(keepends=True)[-1])
    (acme.folder / "other").mkdir()
    other = Federation(acme.folder / "other").init()
    other.member("acme", "000013", "127.0.0.1:8005")
    for _ in range(4):
        other.cli("cert", "issue", "--member", "acme", "--profile", "doh", "--generate", "--out", other.folder / "c", code=None)
    other.cli("ca", "crl", "publish")
    foreign, = [p for p in (other.state / "crl").glob("*.crl") if p.name != "root.crl"]
    for option, file in (("--audit", edited), ("--audit", gap), ("--audit", other.state / "audit.jsonl"), ("--crl", foreign),
                         ("--audit", acme.folder / "nothing"), ("--crl", trail)):
        done = with_secret(acme, "restore", path, option, file, state=acme.folder / "out", code=None)
        assert done.returncode in (7, 9, 65) and done.stderr, (option, file, done.returncode)
        assert not (acme.folder / "out").exists() and not list(acme.folder.glob("out.*")), done.stderr


def test_what_the_trail_says_of_members_is_done_again(acme):
    path, _ = create(acme)
    acme.member("umbra", "000014", "127.0.0.2:8005")
    umbra = acme.cert("ns", member="umbra", netid="000014")
    acme.cli("member", "suspend", "acme")
    acme.devices("000014", ["70b3d57ed0000002"])
    out = acme.folder / "out"
    done = with_secret(acme, "-o", "json", "restore", path, "--audit", acme.state / "audit.jsonl", state=out)
    told = json.loads(done.stdout)
    assert told["adopted"] == 1 and told["not_restored"] == 1 and "zone.import" in done.stderr
    acme.state = out
    members = {m["id"]: m["state"] for m in acme.json("member", "list")}
    assert members == {"acme": "suspended", "umbra": "active"}
    assert acme.json("cert", "show", umbra.serial)["status"] == "issued"
