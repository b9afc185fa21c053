"""T33: secrets in memory. After work was done nothing of a passphrase, a token or a key stands where swap or a core file sees it."""
import base64
import contextlib
import os
import re
import subprocess

import pytest

from fed import BIN, ENV, Federation, wait_until
from process_memory import find, regions
from test_est import csr_of, enroll, enrolled, new_key, one_line, openssl, token

PASSPHRASE = "correct horse battery staple 7"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root reads the memory of a program that hides it")


def passphrase_pipe():
    """A descriptor to read PASSPHRASE from."""
    read, write = os.pipe()
    os.write(write, PASSPHRASE.encode() + b"\n")
    os.close(write)
    return read


@pytest.fixture
def locked(tmp_path):
    """A broker whose issuing key is locked; it has enrolled, renewed and answered."""
    fed = Federation(tmp_path, workers=2)
    fed.ca = f"ca.{fed.name}"
    read = passphrase_pipe()
    subprocess.run([BIN / "fedroam", "ca", "init", "--fed", fed.name, "--state", fed.state, "--url", fed.url, "--passphrase-fd", str(read)],
                   pass_fds=[read], env=ENV, check=True, capture_output=True)
    os.close(read)
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.write_config()
    read = passphrase_pipe()
    log = open(tmp_path / "broker.log", "ab")
    process = subprocess.Popen([BIN / "fedroam-broker", "--config", fed.config, "--passphrase-fd", str(read)], pass_fds=[read],
                               stdout=log, stderr=log, env=ENV)
    os.close(read)
    fed.process = process
    try:
        wait_until(lambda: fed.curl_plain("/readyz").stdout.endswith("200"), 30, "the broker")
        yield fed
    finally:
        process.terminate()
        assert process.wait(30) == 0
        log.close()


def secret_of(key, *passphrase):
    """The secret number of a P-256 key, as OpenSSL prints it."""
    text = openssl("pkey", "-in", key, "-text", "-noout", *passphrase).decode()
    return bytes.fromhex(re.sub(r"[\s:]", "", re.search(r"priv:\s*([0-9a-f:\s]+)pub:", text)[1])).rjust(32, b"\0")[-32:]


def forms_of(key, *passphrase):
    """How a key may stand in memory: its secret as bytes, as OpenSSL keeps numbers, and as text of the file."""
    raw = secret_of(key, *passphrase)
    plain = openssl("pkey", "-in", key, *passphrase).decode().splitlines()
    return {"bytes": raw, "number": raw[::-1], "text": plain[1][24:].encode()}


def test_the_broker(locked):
    issuing = next((locked.state / "ca").glob("*.key"))
    basic = token(locked)
    cert = enrolled(locked)
    assert enroll(locked, one_line(csr_of(new_key(locked.folder))), basic=basic)[0] == 200
    assert enroll(locked, one_line(csr_of(cert.key, subject="/")), op="simplereenroll", cert=cert)[0] == 200
    assert locked.query("000013.netid.fed.test", "A", cert).answer
    text = locked.cli("token", "create", "--member", "acme", "--profile", "ns").stdout.strip()
    pid = locked.process.pid
    raw = base64.urlsafe_b64decode(basic[1] + "=")
    secrets = {"token, as it is said": basic[1].encode(), "token, as HTTP says it": base64.b64encode(":".join(basic).encode())[8:],
               "token, raw": raw, "token that was made": text.split(".")[2].encode(), "passphrase": PASSPHRASE.encode()}
    for name, form in forms_of(issuing, "-passin", f"pass:{PASSPHRASE}").items():
        secrets[f"issuing key, {name}"] = form
    for name, form in forms_of(locked.state / "server.key").items():
        secrets[f"server key, {name}"] = form
    found = {}

    def is_clean():
        """A connection that is being closed has what came over it until it is gone."""
        found.update(find(pid, secrets))
        return all(r.is_locked for where in found.values() for r in where)
    with contextlib.suppress(AssertionError):
        wait_until(is_clean, 20)
    assert any(r.is_locked for r in regions(pid)), "no memory is locked"
    # The search finds what is there: the keys in use, where they may be.
    for name in ("passphrase", "issuing key, number", "server key, number"):
        assert any(r.is_locked for r in found[name]), name
    loose = {name: [r.name or hex(r.start) for r in where if not r.is_locked] for name, where in found.items()}
    assert not {name: where for name, where in loose.items() if where}, loose


def core_limit(pid):
    """Soft and hard."""
    with open(f"/proc/{pid}/limits") as limits:
        return next(line.split()[4:6] for line in limits if line.startswith("Max core file size"))


def test_no_core_file_and_no_look_from_outside(locked, tmp_path):
    """Of the broker, and of the program while it waits for a passphrase: the kernel lets no process of the same user in."""
    assert core_limit(locked.process.pid) == ["0", "0"]
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o005)
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    os.chown(own, 65534, 65534)
    read, write = os.pipe()
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", BIN / "fedroam", "ca", "init", "--fed", "fed.other", "--state",
               own / "s", "--url", "https://broker.fed.other/dns-query", "--passphrase-fd", str(read)]
    with subprocess.Popen(command, pass_fds=[read], env=ENV, stderr=subprocess.PIPE) as process:
        os.close(read)
        try:
            status = f"/proc/{process.pid}/status"
            wait_until(lambda: "\nUid:\t65534" in open(status).read() and "Name:\tfedroam\n" in open(status).read(), 20, "fedroam")
            # What cannot be dumped belongs to root in /proc, whoever runs it.
            wait_until(lambda: os.stat(f"/proc/{process.pid}/mem").st_uid == 0, 20, "the seal")
            assert core_limit(process.pid) == ["0", "0"]
        finally:
            os.close(write)
            process.communicate(timeout=30)
