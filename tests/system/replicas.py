"""A second broker beside the first, and whether both hold the same."""
import json
import os
import shutil
import socket
import time

import dns.message
import pytest

from fed import Daemon, Federation, wait_until

LONG = bool(os.environ.get("FR_LONG"))
FIRST = 0x70b3d57ed0000000


class Replica(Federation):
    """A second broker of a federation, on ports and a state directory of its own."""

    def __init__(self, primary, host):
        super().__init__(primary.folder / host, primary.name, workers=1)
        self.folder.mkdir()
        self.state = self.folder / "state"
        self.primary, self.hostname = primary, host
        own, issued = self.folder / "own", primary.folder / "certs"
        self.run("--fed", self.name, "cert", "request", "--profile", "broker", "--host", host, "--out", own)
        primary.cli("cert", "issue", "--profile", "broker", "--host", host, "--csr", own / f"broker-{host}.csr", "--out", issued)
        shutil.copy2(own / f"broker-{host}.key", issued)
        self.run("--fed", self.name, "--state", self.state, "replica", "init", "--url", primary.origin, "--chain",
                 issued / f"broker-{host}.chain.pem", "--key", own / f"broker-{host}.key", "--ca", issued / "root.pem")

    def follow(self, *others, more=""):
        """The configuration: replica_of the others."""
        self.write_config()
        set_federation(self, more, others or (self.primary,))
        return self


def set_federation(fed, more="", others=()):
    """Puts lines into the federation's block of broker.yaml."""
    lines = [f"    {line}" for line in more.splitlines()]
    if others:
        where = ", ".join(f"'127.0.0.1:{other.port}'" for other in others)
        lines += ["    replica_of:", f"      url: {others[0].origin}", f"      addresses: [{where}]"]
    text = fed.config.read_text() if fed.config.exists() else fed.write_config().read_text()
    fed.config.write_text(text.replace(f"    state: {fed.state}\n", f"    state: {fed.state}\n" + "".join(l + "\n" for l in lines), 1))


Federation.origin = property(lambda self: f"https://{self.host}:{self.port}")


def start_replica(fed):
    """Without a wait for readiness, which comes with the first copy."""
    fed.broker = Daemon("fedroam-broker", ["--config", fed.config], fed.folder / "replica.log")


def eui(n):
    return f"{FIRST + n:016x}"


def digest(fed):
    return {row["table"]: (row["rows"], row["digest"]) for row in fed.json("store", "digest")}


def status(fed):
    return fed.json("replica", "status")


def wait_same(primary, replica, seconds=60):
    """Until the replica has all, what the primary still tidies up included: then both hold the same rows in every table."""
    def is_level():
        there = status(replica)
        return there["whole"] and there["position"] == status(primary)["position"]
    wait_until(is_level, seconds, "the replica to be level")
    end, seen = time.monotonic() + 15, None
    while seen is None or seen[0] != seen[1]:
        seen = digest(primary), digest(replica)
        if time.monotonic() > end:
            assert seen[0] == seen[1]


def answers(fed, number, cert):
    """The RCODE, or the HTTP status where it is not 200."""
    code, _, body = fed.query_raw(f"{eui(number)}.deveui.{fed.name}", "A", cert)
    return int(dns.message.from_wire(body).rcode()) if code == 200 else code


def control(fed, op, args):
    """One operation on control.sock: without the start of a program in what is measured."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(fed.state / "control.sock"))
        body = json.dumps({"args": args}).encode()
        s.sendall(f"POST /admin/v1/{op} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                  f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        reply = b"".join(iter(lambda: s.recv(65536), b""))
    assert reply.startswith(b"HTTP/1.1 200"), reply


@pytest.fixture
def pair(tmp_path):
    """A primary with two members and a few devices, and a replica that follows it; both run."""
    primary = Federation(tmp_path).init()
    primary.member("acme", "000013", "127.0.0.1:8005")
    primary.member("umbra", "00002b", "127.0.0.1:8006")
    primary.devices("000013", [eui(n) for n in range(100)])
    primary.doh = primary.cert("doh", member="acme")
    replica = Replica(primary, "b2").follow()
    primary.start_broker()
    replica.start_broker()
    yield primary, replica
    try:
        replica.stop()
    finally:
        primary.stop()
