"""The servers that are compared, each on one core: how to start it, what it costs, how to stop it.

All three get the same certificate, the same federation's CA and the same questions. BIND serves the
zone that `fedroam zone export` writes; nghttpd looks nothing up and verifies nobody: it returns one
static answer, which is what HTTP/2 and TLS alone cost.
"""
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from fed import BIN, Federation, free_port  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
NAMED, NGHTTPD = "/usr/sbin/named", "/usr/sbin/nghttpd"


def pinned(core, *command):
    """The command, on one core where there are two."""
    if core is None or os.cpu_count() < 2:
        return list(map(str, command))
    return ["taskset", "-c", str(core), *map(str, command)]


class Server:
    """A server in the background; subclasses say which."""

    name = "?"

    def __init__(self, folder, fed, cert, core=0):
        self.folder, self.fed, self.cert, self.core = folder, fed, cert, core
        self.port = free_port()
        self.process = None
        self.start_s = None
        self.client = folder / f"client-{self.name}.yaml"
        self.client.write_text(
            f"federations:\n  - name: {fed.name}\n    broker: https://{fed.host}:{self.port}/dns-query\n"
            f"    addresses: [127.0.0.1]\n    ca: {cert.root}\n    certificate: {cert.chain}\n    key: {cert.key}\n")

    def command(self):
        raise NotImplementedError

    def start(self):
        """Runs until the first right answer; notes how long that took."""
        log = open(self.folder / f"{self.name}.log", "wb")
        begin = time.monotonic()
        self.process = subprocess.Popen(pinned(self.core, *self.command()), stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL)
        log.close()
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() - begin > 600:
                text = (self.folder / f"{self.name}.log").read_text(errors="replace")
                raise SystemExit(f"{self.name} does not answer:\n{text[-3000:]}")
            time.sleep(0.005)
        self.start_s = time.monotonic() - begin
        return self

    def answers(self):
        done = subprocess.run([BIN / "fedroam", "bench", "doh", "--config", self.client, "--first", self.fed.known,
                               "--count", "1", "--connections", "1", "--streams", "1", "-o", "json"],
                              capture_output=True, text=True, check=False)
        return done.returncode == 0 and '"rcode":[1,' in done.stdout

    def cpu_s(self):
        """User and system time of the process so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def rss_anon(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return 0

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Broker(Server):
    name = "fedroam-broker"

    def __init__(self, folder, fed, cert, core=0, workers=1):
        super().__init__(folder, fed, cert, core)
        self.config = folder / f"broker-{workers}.yaml"
        self.config.write_text(
            f"federations:\n  - name: {fed.name}\n    state: {fed.state}\n"
            f"listen:\n  - {{address: 127.0.0.1, port: {self.port}, serve: https}}\n"
            f"admin: {{address: 127.0.0.1, port: {free_port()}}}\nworkers: {workers}\n")

    def command(self):
        return [BIN / "fedroam-broker", "--config", self.config]


class Bind(Server):
    name = "BIND"

    def __init__(self, folder, fed, cert, core=0):
        super().__init__(folder, fed, cert, core)
        zone, state = folder / "zone.db", fed.state
        with open(zone, "wb") as out:
            subprocess.run([BIN / "fedroam", "--state", state, "zone", "export"], stdout=out, check=True)
        self.config = folder / "named.conf"
        self.config.write_text(f"""tls mtls {{
    cert-file "{state}/server.chain.pem"; key-file "{state}/server.key";
    ca-file "{state}/root.pem"; protocols {{ TLSv1.3; TLSv1.2; }};
}};
http doh {{ endpoints {{ "/dns-query"; }}; listener-clients 2000; streams-per-connection 100; }};
options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
    recursion no; dnssec-validation no; notify no; minimal-responses yes;
    listen-on port {self.port} tls mtls http doh {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    tcp-initial-timeout 25; tcp-idle-timeout 600;
}};
controls {{ }};
zone "{fed.name}" {{ type primary; file "{zone}"; }};
""")

    def command(self):
        return [NAMED, "-g", "-n", "1", "-c", self.config]


class Nghttpd(Server):
    name = "nghttpd"

    def __init__(self, folder, fed, cert, core=0):
        super().__init__(folder, fed, cert, core)
        docs = folder / "docs"
        docs.mkdir()
        (docs / "dns-query").write_bytes(b"\0\0\x84\0" + b"\0" * 94)  # as long as an answer of the zone

    def command(self):
        state = self.fed.state
        return [NGHTTPD, "-a", "127.0.0.1", "-n", "1", "--verify-client", "-d", self.folder / "docs", self.port,
                state / "server.key", state / "server.chain.pem"]

    def answers(self):
        done = subprocess.run([BIN / "fedroam", "bench", "doh", "--config", self.client, "--first", self.fed.known,
                               "--get", "--count", "1", "--connections", "1", "--streams", "1", "-o", "json"],
                              capture_output=True, text=True, check=False)
        return done.returncode == 0 and '"status":{"200":1}' in done.stdout


def make_federation(folder, devices, seed):
    """A federation with that many random devices, in random order; notes the rate of the import."""
    import random
    fed = Federation(folder, workers=1).init()
    fed.member("acme", "000013", "192.0.2.10:8005")
    generator = random.Random(seed)
    euis = [f"{generator.getrandbits(64) | 1:016x}" for _ in range(devices)]
    fed.names = folder / "devices.csv"
    fed.names.write_text("".join(f"{eui}\n" for eui in euis))
    fed.known = euis[0]
    begin = time.monotonic()
    fed.cli("zone", "import", "--netid", "000013", fed.names, "--yes")
    fed.import_s = time.monotonic() - begin
    fed.count = devices
    # The budgets are counted, but this member may ask as much as it likes.
    for key, most in (("unknown", 1000000000), ("misses", 1000000), ("queries", 1000000), ("connections", 1000000)):
        fed.cli("policy", "set", f"budget.{key}", most, "--yes")
    return fed
