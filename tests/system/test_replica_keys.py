"""The keys of a replica: its own certificate renews itself, and what a promoted one does before it has an issuing key."""
import shutil
import ssl
import subprocess

import pytest

from fed import BIN, ENV, Federation, wait_until
from replicas import Replica, set_federation, status, wait_same
from test_clock import ask_est


def serial(fed):
    """Of the certificate that a broker shows."""
    pem = ssl.get_server_certificate(("127.0.0.1", fed.port))
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem, text=True, capture_output=True,
                          check=True).stdout.strip().partition("=")[2].lower()


def of_host(fed, host):
    return [row for row in fed.json("cert", "list") if row["host"] == host and row["status"] == "issued"]


def sign_and_activate(fed, folder):
    """A new issuing CA, by the root's key in the folder."""
    fed.cli("ca", "intermediate", "prepare")
    name = next(row["name"] for row in fed.json("ca", "list") if row["state"] == "prepared")
    (folder / "away").mkdir(exist_ok=True)
    fed.run("ca", "root", "sign", "--fed", fed.name, "--root", fed.root, "--root-key", folder / "root.key", "--csr",
            fed.state / f"ca/{name}.csr", "--out", folder / "away", "--transcript", folder / f"{name}.txt")
    fed.cli("ca", "intermediate", "install", folder / f"away/{name}.pem")
    fed.cli("ca", "intermediate", "activate", name)
    return name


@pytest.fixture
def aged(tmp_path):
    """A primary and a replica whose certificates are 61 of their 90 days old; nothing runs yet."""
    primary = Federation(tmp_path)
    primary.offset = "-61d"
    primary.init("--root-out", tmp_path / "root.key")
    primary.member("acme", "000013", "127.0.0.1:8005")
    replica = Replica(primary, "b2").follow()
    primary.offset = None
    yield primary, replica
    for fed in (replica, primary):
        if fed.broker and fed.broker.is_running():
            fed.stop()


def test_a_replicas_certificate_renews_itself(aged, tmp_path):
    primary, replica = aged
    old, = of_host(primary, "b2")
    key = (replica.state / "server.key").read_bytes()
    primary.start_broker()
    replica.start_broker()
    wait_until(lambda: serial(replica) != old["serial"], 30, "the replica to show another certificate")
    assert "replica.renewed" in replica.broker.text()
    new, = [row for row in of_host(primary, "b2") if row["serial"] != old["serial"]]
    assert serial(replica) == new["serial"] and new["not_after"] > old["not_after"]
    assert (replica.state / "server.key").read_bytes() == key
    wait_same(primary, replica)  # with the new one, too
    assert len(of_host(replica, "b2")) == 2
    positions = [name for name in primary.metrics() if name.startswith("fedroam_replica_follower_position")]
    assert len(positions) == 1, positions
    # a new issuing CA: at once, as every certificate
    name = sign_and_activate(primary, tmp_path)
    wait_until(lambda: serial(replica) != new["serial"], 30, "a certificate of the new CA")
    chain = replica.state / "server.chain.pem"
    subprocess.run(["openssl", "verify", "-CAfile", replica.root, "-untrusted", primary.state / f"ca/{name}.pem", chain], check=True,
                   capture_output=True)
    # only that key, only that profile, only with the right
    own = type("Files", (), {"chain": chain, "key": replica.state / "server.key", "root": primary.root})
    other = tmp_path / "other.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other], check=True,
                   capture_output=True)
    code, said = ask_est(primary, own, key=other)
    assert code == 403 and b"own key" in said
    assert ask_est(primary, own, op="simpleenroll", label="doh")[0] == 403
    primary.cli("cert", "set", serial(replica), "--right", "lookup")
    code, said = ask_est(primary, own)
    assert code == 403 and b"right replica" in said


def test_a_pair_of_its_own_for_the_feed_is_renewed_too(aged):
    primary, replica = aged
    own = replica.folder / "own"
    shutil.copy2(replica.state / "server.chain.pem", own / "feed.chain.pem")
    shutil.copy2(replica.state / "server.key", own / "feed.key")
    before = (own / "feed.chain.pem").read_bytes()
    replica.config.write_text(replica.config.read_text().replace(
        "replica_of:\n", f"replica_of:\n      certificate: {own}/feed.chain.pem\n      key: {own}/feed.key\n"))
    primary.start_broker()
    replica.start_broker()
    for chain in (own / "feed.chain.pem", replica.state / "server.chain.pem"):
        wait_until(lambda chain=chain: chain.read_bytes() != before, 30, f"another {chain.name}")
    wait_same(primary, replica)


def test_a_promoted_broker_without_the_issuing_key(aged, tmp_path):
    primary, replica = aged
    primary.start_broker()
    replica.start_broker()
    wait_until(lambda: "replica.renewed" in replica.broker.text(), 30, "the renewal")
    wait_same(primary, replica)
    acme = primary.cert("doh", member="acme")
    wait_same(primary, replica)
    name = next(row["name"] for row in primary.json("ca", "list") if row["state"] == "active")
    primary.stop()
    assert "ca/" in replica.cli("promote", "--reason", "the first burnt down").stderr
    assert status(replica)["role"] == "primary"
    # what it cannot do is said once, not at every try, and doctor says what to type
    replica.broker.wait_for("crl.no_key")
    replica.cli("cert", "revoke", acme.serial, "--yes")
    assert ask_est(replica, acme)[0] in (403, 503)
    said = replica.broker.text()
    assert said.count("crl.no_key") == 1 and "op=crl.publish" not in said.partition("replica.role")[2], said
    rows = {row["check"]: row for row in replica.json("doctor", code=None)}
    assert rows["issuing"]["level"] == "critical" and f"{name}.key" in rows["issuing"]["mend"] and "prepare" in rows["issuing"]["mend"]
    # the key, from wherever it was kept: used at once, without a restart
    shutil.copy2(primary.state / f"ca/{name}.key", replica.state / "ca")
    wait_until(lambda: bytes.fromhex(acme.serial) in (replica.state / f"crl/{name}.crl").read_bytes(), 30, "the list with the revocation")
    assert "issuing" not in {row["check"] for row in replica.json("doctor", code=None)}
    umbra = replica.cert("doh", member="acme")
    assert ask_est(replica, umbra)[0] == 200


def test_a_new_issuing_ca_after_a_promotion(aged, tmp_path):
    primary, replica = aged
    primary.start_broker()
    replica.start_broker()
    wait_until(lambda: "replica.renewed" in replica.broker.text(), 30, "the renewal")
    acme = primary.cert("doh", member="acme")
    wait_same(primary, replica)
    primary.stop()
    replica.cli("promote", "--reason", "the first burnt down")
    before = serial(replica)
    name = sign_and_activate(replica, tmp_path)
    wait_until(lambda: serial(replica) != before, 30, "its own certificate below the new CA")
    assert ask_est(replica, acme)[0] == 200
    wait_until((replica.state / f"crl/{name}.crl").exists, what="a list of the new CA")
