"""The ways that notices go: hostile receivers, TLS, programs that fail, configurations that cannot be; and what only a running broker sees."""
import contextlib
import os
import socket
import ssl
import subprocess
import threading
import time

from fed import BIN, ENV, wait_until
from notices import Receiver, configure, doctor, listed, pager, program, reload, tried
from test_budgets import Client


class Hostile:
    """A receiver that does one odd thing with each connection."""

    def __init__(self, act):
        self.act, self.socket = act, socket.create_server(("127.0.0.1", 0))
        self.port, self.open = self.socket.getsockname()[1], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.open.append(connection)
                threading.Thread(target=self.run, args=(connection,), daemon=True).start()

    def run(self, connection):
        with contextlib.suppress(OSError):
            connection.recv(65536)
            self.act(connection)

    def close(self):
        self.socket.close()
        for connection in self.open:
            connection.close()


def trickle(connection):
    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1000000:
        connection.send(bytes([byte]))
        time.sleep(0.05)


def flood(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


HOSTILE = {
    "says nothing": lambda c: time.sleep(60),
    "a byte now and then": trickle,
    "without end": flood,
    "no HTTP": lambda c: c.sendall(b"220 page.example ESMTP\r\n"),
    "two lengths": lambda c: c.sendall(b"HTTP/1.1 204 No\r\ncontent-length: 0\r\ncontent-length: 5\r\n\r\n"),
    "a head without end": lambda c: c.sendall(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100000),
    "gone": lambda c: c.close(),
}


def test_hostile_receivers_are_given_up_and_hold_up_nobody(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", ["70b3d57ed0000001"])
    cert = fed.cert("doh", member="acme")
    path, got = pager(fed)
    fed.start_broker()
    for label, act in HOSTILE.items():
        hostile = Hostile(act)
        configure(fed, f"exec: {path}", f"post: http://127.0.0.1:{hostile.port}/", "post_time: 500ms")
        reload(fed)
        began = time.monotonic()
        rows = tried(fed, 2)
        assert rows["exec"]["result"] == "taken" and rows["post"]["result"] == "failed" and rows["post"]["why"], label
        assert time.monotonic() - began < 20, label
        assert fed.query_raw("70b3d57ed0000001.deveui.fed.test", "A", cert)[0] == 200
        hostile.close()
    # Statuses that are no success; a redirection is not followed.
    receiver = Receiver()
    configure(fed, f"exec: {path}", f"post: http://localhost:{receiver.port}/")
    reload(fed)
    for status, fields in ((500, {}), (403, {}), (302, {"location": f"http://127.0.0.1:{receiver.port}/elsewhere"})):
        receiver.status, receiver.fields = status, fields
        assert f"status {status}" in tried(fed, 2)["post"]["why"]
    receiver.status = 200
    assert tried(fed, 0)["post"]["result"] == "taken"  # its name was looked up
    assert {path for path, _, _ in receiver.taken} == {"/"} and receiver.notices()[-1]["test"] is True
    receiver.close()
    assert all(n["test"] for n in got() if n["id"] == "test")


def test_over_tls_only_whom_the_file_names(fed):
    key, chain = fed.folder / "page.key", fed.folder / "page.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", chain,
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    receiver = Receiver(tls=context)
    configure(fed, f"post: https://localhost:{receiver.port}/", f"ca: {chain}")
    fed.start_broker()
    assert tried(fed, 0)["post"]["result"] == "taken"
    configure(fed, f"post: https://localhost:{receiver.port}/", f"ca: {fed.root}")
    reload(fed)
    assert tried(fed, 2)["post"]["result"] == "failed"
    configure(fed, f"post: https://page.example:{receiver.port}/", "addresses: 127.0.0.1", f"ca: {chain}")
    reload(fed)
    assert "page.example" in tried(fed, 2)["post"]["why"]  # another name
    receiver.close()


def test_programs_that_fail_and_configurations_that_cannot_be(fed):
    fed.cli("notify", "test", code=69)  # no broker
    fed.has_backup = False
    fed.start_broker()
    assert "notify:" in fed.cli("notify", "test", code=7).stderr
    for script, why in (("echo no modem >&2; exit 3", "no modem"), ("sleep 100", "killed"), ("kill -9 $$", "signal 9")):
        configure(fed, f"exec: {program(fed, 'bad', script)}", "exec_time: 300ms")
        reload(fed)
        assert why in tried(fed, 2)["exec"]["why"]
    for line in ("exec: [page]", "exec: /no/such/program", "post: page.example", "{exec: [/bin/true], mail: noc@acme.example}"):
        configure(fed, line)
        done = subprocess.run([str(BIN / "fedroam-broker"), "--config", str(fed.config), "--check"], env=ENV, text=True, capture_output=True,
                              check=False)
        assert done.returncode == 78 and ("notify" in done.stderr or "mail" in done.stderr), done.stderr
    wait_until(lambda: "backup" in listed(fed), 30, "the notice that there is no backup")
    fed.cli("notify", "ack", "--all", "--reason", "one by one")
    assert listed(fed, "--open") == {} and listed(fed)


def test_a_member_over_its_budget_and_a_federation_without_a_backup(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    cert = fed.cert("doh", member="acme")
    path, got = pager(fed)
    configure(fed, f"exec: {path}")
    fed.cli("policy", "set", "budget.misses", "1")
    fed.start_broker()
    client = Client(fed, cert)
    for n in range(30):
        if client.ask(f"70b3d57ed00001{n:02x}")[0] == 429:
            break
    wait_until(lambda: "budget/acme/misses" in {n["id"] for n in got()}, 30, "the budget's notice")
    assert any(r["check"] == "member" and "acme" in r["what"] for r in doctor(fed))
    assert "backup" in {n["id"] for n in got()}
    read, write = os.pipe()
    os.write(write, b"correct horse battery staple")
    os.close(write)
    subprocess.run([str(BIN / "fedroam"), "--state", str(fed.state), "backup", "create", "--out", str(fed.folder / "b.frb"),
                    "--backup-passphrase-fd", str(read)], env=ENV, pass_fds=[read], check=True, capture_output=True)
    os.close(read)
    wait_until(lambda: "backup" not in listed(fed), 30, "the backup's notice to go")
    assert "budget/acme/misses" in listed(fed)  # for a day


def test_a_trail_that_cannot_be_written(fed):
    path, got = pager(fed)
    configure(fed, f"exec: {path}")
    fed.cli("policy", "set", "ttl.deveui", "1h")
    fed.start_broker()
    trail = fed.state / "audit.jsonl"
    trail.rename(fed.folder / "kept")
    trail.mkdir(mode=0o700)
    fed.cli("policy", "set", "ttl.deveui", "2h", code=None)
    wait_until(lambda: "audit" in {n["id"] for n in got()}, 30, "the notice")
    trail.rmdir()
    (fed.folder / "kept").rename(trail)
    fed.cli("policy", "set", "ttl.deveui", "3h", code=None)
    wait_until(lambda: "audit" not in listed(fed), 30, "the notice to go")
