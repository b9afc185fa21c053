"""Good clients beside bad ones: what four members' connections that ask without a pause see while a broker with its usual limits
is attacked. The server has one core; attackers and good clients share the other, so a slow attacker makes slow clients, too.

Also a program of its own: `attacks.py` prints the section for a small zone.
"""
import json
import multiprocessing
import os
import pathlib
import resource
import socket
import ssl
import subprocess
import tempfile
import time

import hyperframe.frame as frames
from hpack import Encoder

from servers import BIN, Broker, make_federation, pinned

HALF_OPEN = 2000
SECONDS = 5
HEAD = [(":method", "GET"), (":scheme", "https"), (":path", "/dns-query?dns=AAABAAABAAAAAAAAA2ZlZAR0ZXN0AAAGAAE")]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Target:
    def __init__(self, server, cert, host):
        self.port, self.host = server.port, host
        self.context = ssl.create_default_context(cafile=str(cert.root))
        self.context.load_cert_chain(cert.chain, cert.key)
        self.context.set_alpn_protocols(["h2"])

    def tcp(self, source):
        return socket.create_connection(("127.0.0.1", self.port), 10, source_address=(source, 0))

    def h2(self, window=65535):
        s = self.context.wrap_socket(self.tcp("127.0.0.3"), server_hostname=self.host)
        s.sendall(PREFACE + frames.SettingsFrame(0, {4: window}).serialize())
        return s

    def head(self):
        return Encoder().encode([*HEAD, (":authority", self.host)], huffman=False)


def hold_half_open(target, stop, ready):
    """Connections that say nothing, and others in the place of those that were closed."""
    held = []
    while not stop.is_set():
        for s in [s for s in held if is_over(s)]:
            s.close()
            held.remove(s)
        while len(held) < HALF_OPEN and not stop.is_set():
            s = target.tcp(f"127.0.0.{3 + len(held) // 900}")
            s.setblocking(False)
            held.append(s)
        ready.set()
        time.sleep(0.2)


def is_over(s):
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def flood(target, stop, ready, first, chunk):
    """One connection after the other, each as much as it can until it is closed."""
    while not stop.is_set():
        try:
            with target.h2() as s:
                s.sendall(first)
                for i in range(2000):
                    s.sendall(chunk(i))
        except OSError:
            pass
        ready.set()


def reset_rapidly(target, stop, ready):
    head = target.head()
    flood(target, stop, ready, b"", lambda i: b"".join(
        frames.HeadersFrame(2 * k + 1, head, flags=["END_HEADERS", "END_STREAM"]).serialize() + frames.RstStreamFrame(2 * k + 1, 8).serialize()
        for k in range(20 * i, 20 * i + 20)))


def continue_for_ever(target, stop, ready):
    more = frames.ContinuationFrame(1, b"\x00\x01x\x01y" * 3000).serialize()
    flood(target, stop, ready, frames.HeadersFrame(1, target.head()).serialize(), lambda i: more)


def read_slowly(target, stop, ready):
    """A hundred connections that ask a hundred times each and take no octet of it."""
    asked = b"".join(frames.HeadersFrame(2 * i + 1, target.head(), flags=["END_HEADERS", "END_STREAM"]).serialize() for i in range(100))
    while not stop.is_set():
        held = []
        for _ in range(100):
            held.append(target.h2(window=0))
            held[-1].sendall(asked)
        ready.set()
        stop.wait(8)
        for s in held:
            s.close()


ATTACKS = [("nobody", None), (f"{HALF_OPEN:,} half-open connections", hold_half_open), ("rapid reset", reset_rapidly),
           ("CONTINUATION flood", continue_for_ever), ("100 slow readers of 100 answers", read_slowly)]


def attacker(work, target, stop, ready):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    if os.cpu_count() > 1:
        os.sched_setaffinity(0, {1})
    work(target, stop, ready)


def good_clients(server, fed):
    command = [BIN / "fedroam", "bench", "doh", "--config", server.client, "-o", "json", "--names", fed.names, "--duration", f"{SECONDS}s",
               "--connections", "4", "--streams", "1"]
    done = subprocess.run(pinned(1, *command), capture_output=True, text=True, check=True)
    got = json.loads(done.stdout)
    if got["answered"] != got["status"].get("200", 0) or got["resets"]:
        raise SystemExit(f"good clients were not all answered: {got['status']}")
    return got


def measure(server, fed, cert):
    """[(attack, answers a second, p50 and p99 in µs)]"""
    target, rows = Target(server, cert, fed.host), []
    for label, work in ATTACKS:
        stop, ready = multiprocessing.Event(), multiprocessing.Event()
        child = work and multiprocessing.Process(target=attacker, args=(work, target, stop, ready), daemon=True)
        if child:
            child.start()
            if not ready.wait(60):
                raise SystemExit(f"the attack did not begin: {label}")
        try:
            got = good_clients(server, fed)
        finally:
            stop.set()
            if child:
                child.join(20)
        rows.append((label, got["answered"] / (got["took_us"] / 1e6), got["latency_us"]["p50"], got["latency_us"]["p99"]))
    return rows


def section(rows):
    """Of the page."""
    lines = "\n".join(f"| {label} | {rate:,.0f} | {p50:,.0f} | {p99:,.0f} |" for label, rate, p50, p99 in rows)
    return f"""## Good clients under attack

Four connections with one question each at a time, the usual limits ([limits.md](limits.md)); all were answered. p99 is to stay below 50,000 µs.

| attacked by | answers/s | p50, µs | p99, µs |
|---|--:|--:|--:|
{lines}
"""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fr-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        federation = make_federation(folder, 10_000, seed=1)
        certificate = federation.cert("doh", member="acme")
        broker = Broker(folder, federation, certificate).start()
        try:
            print(section(measure(broker, federation, certificate)))
        finally:
            broker.stop()
