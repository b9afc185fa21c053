"""Enrolment by a Java program on Bouncy Castle's EST client, which reads answers quite differently from the others."""
import base64
import json
import subprocess
import threading

import pytest

from fed import SOURCE, Federation, tool, wait_until

JARS = ":".join(f"/usr/share/java/{name}.jar" for name in ("bcpkix", "bcprov", "bcutil"))


@pytest.fixture(scope="module")
def java(tmp_path_factory):
    """The compiled client: java(fed, label, operation, key=value …) gives (exit code, its last line)."""
    folder = tmp_path_factory.mktemp("java")
    built = subprocess.run([tool("ecj"), "-17", "-proc:none", "-nowarn", "-cp", JARS, "-d", folder, SOURCE / "tests/system/bouncy/Est.java"],
                           capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr

    def run(fed, label, operation, **facts):
        (folder / "hosts").write_text(f"127.0.0.1 {fed.ca}\n")
        done = subprocess.run([tool("java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", f"-Djdk.net.hosts.file={folder}/hosts", "-cp", f"{folder}:{JARS}", "Est", fed.root,
                               f"{fed.ca}:{fed.port}", label, operation, *[f"{k}={v}" for k, v in facts.items()]],
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.stdout, done.stderr
        return done.returncode, done.stdout.splitlines()[-1]
    return run


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    federation = Federation(tmp_path_factory.mktemp("bouncy"), workers=1).init()
    federation.member("acme", "000013", "127.0.0.1:8005")
    federation.start_broker()
    federation.ca = f"ca.{federation.name}"
    yield federation
    federation.stop()


def token(est, *more):
    _, facts, secret = est.cli("token", "create", "--member", "acme", "--profile", "doh", *more).stdout.strip().split(".")
    return {"user": json.loads(base64.urlsafe_b64decode(facts + "=="))["id"], "password": secret}


def verified(est, pem):
    """The leaf hangs below the federation's root."""
    issuing, = (est.state / "ca").glob("*.pem")
    done = subprocess.run(["openssl", "verify", "-purpose", "sslclient", "-CAfile", est.root, "-untrusted", issuing, pem], capture_output=True,
                          text=True, check=False)
    return done.returncode == 0 and "CN = acme" in subprocess.run(["openssl", "x509", "-in", pem, "-noout", "-subject"], capture_output=True,
                                                                   text=True, check=True).stdout


def test_what_needs_no_certificate(est, java):
    assert java(est, "-", "cacerts") == (0, "cacerts 2")
    assert java(est, "-", "csrattrs") == (0, "csrattrs false")


def test_enrolment_and_renewal(est, java, tmp_path):
    secret = token(est)
    first = {"newkey": tmp_path / "a.key", "out": tmp_path / "a.pem"}
    assert java(est, "doh", "simpleenroll", **secret, **first) == (0, "issued 1")
    assert verified(est, first["out"])
    assert java(est, "doh", "simpleenroll", **secret, newkey=tmp_path / "x.key", out=tmp_path / "x.pem") == (1, "refused 401"), "once"
    again = {"newkey": tmp_path / "b.key", "out": tmp_path / "b.pem"}
    assert java(est, "-", "simplereenroll", key=first["newkey"], chain=first["out"], **again) == (0, "issued 1")
    assert verified(est, again["out"]) and again["out"].read_text() != first["out"].read_text()


def test_it_asks_again_until_it_is_approved(est, java, tmp_path):
    secret = token(est, "--approval")
    result = []
    asking = threading.Thread(target=lambda: result.append(java(est, "-", "simpleenroll", **secret, newkey=tmp_path / "k", out=tmp_path / "c.pem")))
    asking.start()
    wait_until(lambda: any(t["state"] == "waiting" for t in est.json("token", "list")), 60, "the request")
    est.cli("token", "approve", secret["user"])
    asking.join()
    assert result == [(0, "issued 1")] and verified(est, tmp_path / "c.pem")


def test_a_revoked_certificate_is_told(est, java, tmp_path):
    assert java(est, "-", "simpleenroll", **token(est), newkey=tmp_path / "a.key", out=tmp_path / "a.pem") == (0, "issued 1")
    serial = subprocess.run(["openssl", "x509", "-in", tmp_path / "a.pem", "-noout", "-serial"], capture_output=True, text=True, check=True).stdout
    est.cli("cert", "revoke", serial.strip().split("=")[1].lower())
    assert java(est, "-", "simplereenroll", key=tmp_path / "a.key", chain=tmp_path / "a.pem", newkey=tmp_path / "b.key",
                out=tmp_path / "b.pem") == (1, "refused 403")
