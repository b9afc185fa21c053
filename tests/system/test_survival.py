"""What a broker outlives: no descriptors, no space on the disk, kill -9, reloads and ends under load."""
import contextlib
import http.client
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import dns.message
import dns.rcode
import pytest

from fed import BIN, ENV, SANITIZER_EXIT, Federation, wait_until
from lmdb_rows import spoil
from test_hostile import Kept, good_clients, is_closed, tcp, tls_context

ROUNDS = 500 if os.environ.get("FR_LONG") else 20


@pytest.fixture
def fed(tmp_path):
    federation = Federation(tmp_path, workers=1)
    federation.init()
    federation.member("acme", "000013", "127.0.0.1:8005")
    federation.acme = federation.cert("doh", member="acme")
    yield federation
    federation.stop()


class Control(http.client.HTTPConnection):
    """control.sock, as curl would use it: far quicker than a program for each change."""

    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def call(self, op, **args):
        """The status and the reply of one change."""
        self.request("POST", f"/admin/v1/{op}", json.dumps({"args": args}))
        response = self.getresponse()
        body = response.read()
        return response.status, json.loads(body) if body else {}


# --- descriptors ---

@pytest.mark.skipif(os.geteuid() != 0, reason="only root may count the descriptors of a process that hides its memory")
def test_without_descriptors_it_serves_those_who_are_there(fed):
    fed.start_broker(more="limits: {handshake: 1s}\n")
    pid = fed.broker.pid
    with good_clients(fed, "no descriptors"):
        was = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 5, was[1]))
        greedy = [tcp(fed, f"127.0.3.{i % 20 + 1}") for i in range(20)]
        wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) >= used + 5, 10, "the last descriptor to be taken")
        late = threading.Event()

        def newcomer():                                  # waits in the queue, and is served when the greedy are late
            Kept(fed, tls_context(fed)).close()
            late.set()

        thread = threading.Thread(target=newcomer)
        thread.start()
        assert late.wait(60)
        thread.join()
        for s in greedy:
            s.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, was)
    kept = Kept(fed, tls_context(fed))
    assert kept.ask() == 200
    kept.close()
    cpu = sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
    assert cpu / os.sysconf("SC_CLK_TCK") < 30           # and it did not spin meanwhile


# --- the disk ---

def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "t", "/mnt"],
                                                capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs root to mount a small file system")
def test_a_full_disk_refuses_changes_and_loses_nothing(fed, tmp_path):
    """The state lies on 6 MiB of tmpfs that only the broker sees. Reads go on, refused changes are not half there,
    and when there is room again changes work again without a restart."""
    copy = tmp_path / "copy"
    shutil.copytree(fed.state, copy, ignore=shutil.ignore_patterns("lock.mdb", "control.sock"))
    fed.write_config()
    log = open(tmp_path / "broker.log", "ab")
    fed.state.joinpath("lock.mdb").unlink(missing_ok=True)
    process = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=6m t "$0" && cp -a "$1"/. "$0" && exec "$2" --config "$3"',
         fed.state, copy, BIN / "fedroam-broker", fed.config], stdout=log, stderr=log, env=ENV)
    inside = pathlib.Path(f"/proc/{process.pid}/root{fed.state}")
    try:
        wait_until(lambda: fed.curl_plain("/readyz").stdout.endswith("200"), 20, "the broker")
        control = Control(inside / "control.sock")
        assert control.call("member.add", id="before")[0] == 200
        with good_clients(fed, "full disk", n=2):
            filler = inside / "filler"
            with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as f:
                while True:
                    f.write(b"\0" * 4096)
            acknowledged, refused = ["before", "acme"], []
            for i in range(200):
                status, reply = control.call("member.add", id=f"m{i}")
                (acknowledged if status == 200 else refused).append(f"m{i}")
                if status != 200:
                    assert status == 503, (status, reply)
                    if len(refused) > 5:
                        break
            assert refused, "the disk was not full"
            filler.unlink()
            assert control.call("member.add", id="after")[0] == 200
            acknowledged.append("after")
        control.close()
        process.send_signal(signal.SIGTERM)
        saved = tmp_path / "saved"
        shutil.copytree(inside, saved, ignore=shutil.ignore_patterns("lock.mdb", "control.sock"))
        assert process.wait(20) == 0, (tmp_path / "broker.log").read_text()[-4000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        log.close()
    assert process.returncode != SANITIZER_EXIT
    rows = json.loads(fed.run("--state", saved, "-o", "json", "member", "list").stdout)
    assert {m["id"] for m in rows} == set(acknowledged)


# --- a damaged registry ---

def test_what_cannot_be_read_is_503_for_those_who_need_it(fed):
    """A damaged row of a network, and of a certificate: its own names get 503 and when to come again, its devices are not found; everybody else goes on."""
    device = "70b3d57ed0000001.deveui.fed.test"
    fed.member("umbra", "000014", "127.0.0.2:8005")
    fed.devices("000013", [device[:16]])
    umbra = fed.cert("doh", member="umbra")
    assert spoil(fed.state, "networks", bytes.fromhex("000013"))
    fed.start_broker()
    for _ in range(2):
        status, headers, _ = fed.query_raw("000013.netid.fed.test", "A", umbra)
        assert (status, headers["retry-after"]) == (503, "5")
    status, _, answer = fed.query_raw(device, "A", umbra)
    assert (status, dns.message.from_wire(answer).rcode()) == (200, dns.rcode.NXDOMAIN)
    assert fed.query_raw("000014.netid.fed.test", "A", umbra)[0] == 200
    metrics = fed.metrics()
    assert metrics['fedroam_dns_faults_total{federation="fed.test"}'] == 2
    assert metrics['fedroam_registry_damaged_rows{federation="fed.test"}'] == 1
    said = [line for line in fed.broker.text().splitlines() if "event=registry.damaged" in line]
    assert 1 <= len(said) <= 2 and all("rows=1" in line and "zone check" in line for line in said), said  # once on each worker
    fed.broker.stop()
    assert spoil(fed.state, "certs", bytes.fromhex(umbra.serial))
    fed.start_broker()
    status, headers, _ = fed.query_raw("fed.test", "SOA", umbra)
    assert (status, headers["retry-after"]) == (503, "5")
    assert fed.query_raw("fed.test", "SOA", fed.acme)[0] == 200


# --- kill -9 ---

def test_kill_9_during_writes_loses_no_acknowledged_change(fed):
    """Four writers, so that commits are in groups. After each kill everything that was acknowledged is there."""
    acknowledged, numbers, lock = {}, iter(range(10 ** 9)), threading.Lock()
    dice = random.Random(1)

    def write():
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            control = Control(fed.state / "control.sock")
            while True:
                with lock:
                    n = next(numbers)
                eui = f"70b3d57e{n:08x}"
                if control.call("device.add", netid="000013", devices=[eui])[0] == 200:
                    with lock:
                        acknowledged[eui] = True

    counts = []
    for _ in range(ROUNDS):
        fed.start_broker()
        writers = [threading.Thread(target=write) for _ in range(4)]
        before = len(acknowledged)
        for w in writers:
            w.start()
        wait_until(lambda: len(acknowledged) > before, 20, "a first change")
        time.sleep(dice.random() * 0.05)                 # any moment will do: it is the killing that matters
        fed.broker.kill()
        for w in writers:
            w.join()
        counts.append(len(acknowledged) - before)
        out = fed.cli("zone", "export").stdout.lower()
        missing = [eui for eui in acknowledged if eui not in out]
        assert not missing, f"{len(missing)} of {len(acknowledged)} lost, such as {missing[:3]}"
    print(f"{ROUNDS} kills, {len(acknowledged)} changes acknowledged, {min(counts)} to {max(counts)} a round")
    assert sum(1 for c in counts if c > 1) > ROUNDS / 2  # it was killed in the middle of things
    fed.start_broker()
    kept = Kept(fed, tls_context(fed))
    assert kept.ask() == 200
    kept.close()


# --- reload and end ---

def test_reloads_lose_no_newcomer_and_no_request(fed):
    """Each client opens a connection for each of its requests while the configuration is loaded again and again:
    listening sockets are handed on, and who had been accepted is answered."""
    fed.start_broker()
    stop, good, faults = threading.Event(), [], []

    def come_and_go():
        context = tls_context(fed)
        while not stop.is_set():
            try:
                kept = Kept(fed, context)
                status = kept.ask()
                kept.close()
                (good if status == 200 else faults).append(status)
            except OSError as e:
                faults.append(e)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for t in threads:
        t.start()
    for i in range(10):
        wanted = len(good) + 20
        wait_until(lambda: len(good) >= wanted or faults, 20, "load")
        fed.broker.signal(signal.SIGHUP)
        wait_until(lambda: fed.broker.text().count("broker.reloaded") > i, 10, "the reload")
    stop.set()
    for t in threads:
        t.join()
    assert not faults, faults[:3]
    assert len(good) >= 200


def test_sigterm_answers_what_was_asked(fed):
    """Requests that were sent before the signal are answered; the connection then ends in good order."""
    fed.start_broker()
    context = tls_context(fed)
    clients = [Kept(fed, context) for _ in range(20)]
    for c in clients:
        assert c.ask() == 200
    for c in clients:
        c.tls.sendall(c.request * 5)
    fed.broker.signal(signal.SIGTERM)
    for c in clients:
        data = b""
        c.tls.settimeout(20)
        while more := c.tls.recv(65536):
            data += more
        assert 1 <= data.count(b"HTTP/1.1 200 ") == data.count(b"HTTP/1.1 ")
    assert fed.broker.stop() == 0
    with pytest.raises(OSError):
        tcp(fed)
    fed.broker = None


def test_a_client_that_never_ends_does_not_hold_up_the_end(fed):
    fed.start_broker(more="limits: {drain: 1s}\n")
    silent, half = tcp(fed), Kept(fed, tls_context(fed))
    half.tls.sendall(half.request[:20])
    start = time.monotonic()
    assert fed.broker.stop() == 0
    assert time.monotonic() - start < 10
    assert is_closed(silent) and is_closed(half.tls)
    fed.broker = None
