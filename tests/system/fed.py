"""A federation for system tests: real programs, a temporary state directory, free loopback ports.

    fed = Federation(tmp_path)
    fed.init()
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", ["70b3d57ed0000001"])
    acme = fed.cert("doh", member="acme")
    fed.start_broker()
    answer = fed.query("70b3d57ed0000001.deveui.fed.test", "A", acme)      # dnspython, HTTP/2
    out = fed.kdig("000013.netid.fed.test", "A", acme)                      # kdig's text
    fed.stop()

The programs come from the folder in FR_BIN (ctest sets it), else build/bin of this checkout.
"""
import base64
import contextlib
import json
import os
import pathlib
import random
import signal
import shutil
import socket
import subprocess
import time

import dns.message
import dns.rcode
import dns.rdatatype

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("FR_BIN", SOURCE / "build" / "bin"))

# Sanitizers must fail a test, never pass unseen.
ENV = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=99", LC_ALL="C.UTF-8",
           UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
SANITIZER_EXIT = 99


def tool(name):
    """A foreign program. './dev deps' installs it, so a test that finds it missing fails: it does not skip."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin")
    assert path, f"{name} is not installed: ./dev deps"
    return path


def go_build(source, folder):
    """A program of Go, built by Debian's, the oldest that members run, with its packages of libraries."""
    go = next((p for p in sorted(pathlib.Path("/usr/lib").glob("go-1.*/bin/go")) if p.exists()), None) or tool("go")
    env = dict(os.environ, GO111MODULE="off", GOFLAGS="", CGO_ENABLED="0", GOTOOLCHAIN="local", GOPATH="/usr/share/gocode",
               GOCACHE=os.environ.get("GOCACHE", str(pathlib.Path.home() / ".cache/go-build")))
    program = pathlib.Path(folder) / pathlib.Path(source).stem
    done = subprocess.run([go, "build", "-o", program, source], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def free_port(kind=socket.SOCK_STREAM):
    """A loopback port that was free a moment ago; below those that the system gives to outgoing connections, so that no
    test running beside this one takes it in between."""
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket(socket.AF_INET, kind) as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def wait_until(fact, seconds=15, what="condition"):
    """Polls fact() until it is true; the only kind of waiting tests do."""
    end = time.monotonic() + seconds
    while True:
        value = fact()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"timed out waiting for {what}")
        time.sleep(0.02)


class Daemon:
    """One program of ours in the background; its stderr goes to a file."""

    def __init__(self, name, args, log, env=None):
        self.name = name
        self.log = pathlib.Path(log)
        self.out = open(self.log, "ab")
        self.process = subprocess.Popen([str(BIN / name), *map(str, args)], stdout=self.out,
                                        stderr=self.out, stdin=subprocess.DEVNULL, env=env or ENV)

    @property
    def pid(self):
        return self.process.pid

    def text(self):
        return self.log.read_text(errors="replace")

    def is_running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait_for(self, needle, seconds=15):
        """Waits until the log holds needle; fails early when the program ends."""
        def seen():
            if needle in self.text():
                return True
            assert self.is_running(), f"{self.name} ended with {self.process.returncode}:\n{self.text()}"
            return False
        wait_until(seen, seconds, f"{needle!r} in the log of {self.name}")

    def stop(self, seconds=15):
        """SIGTERM, a clean end expected; returns the exit status."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not stop:\n{self.text()[-4000:]}") from None
        finally:
            self.out.close()
        assert code != SANITIZER_EXIT, f"{self.name} under sanitizers:\n{self.text()[-8000:]}"
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.out.close()


class Cert:
    """A certificate with its key, as `cert issue --generate --out` left them."""

    def __init__(self, folder, profile, ident, serial=None):
        folder = pathlib.Path(folder)
        self.key = folder / f"{profile}-{ident}.key"
        self.chain = folder / f"{profile}-{ident}.chain.pem"
        self.root = folder / "root.pem"
        self.serial = serial


class Federation:
    def __init__(self, folder, name="fed.test", workers=2):
        self.folder = pathlib.Path(folder)
        self.name = name
        self.state = self.folder / f"state-{name}"
        self.port = free_port()
        self.admin_port = free_port()
        self.workers = workers
        self.config = self.folder / "broker.yaml"
        self.broker = None
        self.has_backup = True  # noted before the broker starts; else it would tell its operator, by a change of its own
        self.daemons = []
        self.offset = None  # "-40d": what the administrator types happens then (faketime)

    # --- the administrator's program ---

    @property
    def host(self):
        return f"broker.{self.name}"

    @property
    def url(self):
        return f"https://{self.host}:{self.port}/dns-query"

    @property
    def root(self):
        return self.state / "root.pem"

    def run(self, *args, code=0, stdin=None):
        """fedroam ARGS; asserts the exit code (None: any)."""
        then, env = [], ENV
        if self.offset:
            then = [tool("faketime"), "-f", self.offset]
            env = dict(ENV, ASAN_OPTIONS=ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0")
        done = subprocess.run([*then, str(BIN / "fedroam"), *map(str, args)], input=stdin, text=True, env=env,
                              capture_output=True, timeout=120, check=False)
        assert done.returncode != SANITIZER_EXIT, done.stderr
        if code is not None:
            assert done.returncode == code, \
                f"fedroam {' '.join(map(str, args))}: exit {done.returncode}, not {code}\n{done.stdout}{done.stderr}"
        return done

    def cli(self, *args, code=0, stdin=None):
        """fedroam --state S ARGS."""
        return self.run("--state", self.state, *args, code=code, stdin=stdin)

    def json(self, *args, code=0):
        return json.loads(self.cli("-o", "json", *args, code=code).stdout)

    def init(self, *extra):
        self.run("ca", "init", "--fed", self.name, "--state", self.state, "--url", self.url, *extra)
        return self

    def member(self, ident, netid=None, *endpoints):
        args = ["member", "add", ident]
        if netid:
            args += ["--netid", netid]
        for endpoint in endpoints:
            args += ["--endpoint", endpoint]
        return self.cli(*args)

    def devices(self, netid, euis):
        """Imports device EUIs (text) for a network."""
        return self.cli("zone", "import", "--netid", netid, "-", "--yes",
                        stdin="".join(f"{eui}\n" for eui in euis))

    def cert(self, profile, member=None, netid=None, joineui=None, host=None, folder=None):
        """Issues a certificate with a fresh key."""
        folder = pathlib.Path(folder or self.folder / "certs")
        args = ["cert", "issue", "--profile", profile, "--generate", "--out", folder, "-o", "json"]
        for option, value in (("--member", member), ("--netid", netid), ("--joineui", joineui), ("--host", host)):
            if value:
                args += [option, value]
        reply = json.loads(self.cli(*args).stdout)
        return Cert(folder, profile, netid or joineui or host or member, reply.get("serial"))

    # --- the broker ---

    def write_config(self, more="", federations=None, listen=None):
        federations = federations or [self]
        lines = ["federations:"]
        for fed in federations:
            lines += [f"  - name: {fed.name}", f"    state: {fed.state}"]
        lines += ["listen:"]
        lines += listen or [f"  - {{address: 127.0.0.1, port: {self.port}, serve: https}}"]
        lines += [f"admin: {{address: 127.0.0.1, port: {self.admin_port}}}", f"workers: {self.workers}"]
        self.config.write_text("\n".join(lines) + "\n" + more)
        return self.config

    def start_broker(self, **config):
        if config or not self.config.exists():
            self.write_config(**config)
        if self.has_backup and not (self.state / "backup.last").exists():
            (self.state / "backup.last").write_text(time.strftime("%Y-%m-%dT%H:%M:%SZ\n", time.gmtime()))
        log = self.folder / "broker.log"
        start = len(log.read_text()) if log.exists() else 0
        self.broker = Daemon("fedroam-broker", ["--config", self.config], log)
        wait_until(lambda: self._ready(start), 20, "the broker to be ready")
        return self.broker

    def _ready(self, start):
        if not self.broker.is_running():
            raise AssertionError(f"broker ended with {self.broker.process.returncode}:\n{self.broker.text()[start:]}")
        done = self.curl_plain("/readyz")
        return done.returncode == 0 and done.stdout.endswith("200")

    def daemon(self, program, *args, log=None):
        """Starts another program of ours; stop() ends it."""
        d = Daemon(program, args, log or self.folder / f"{program}-{len(self.daemons)}.log")
        self.daemons.append(d)
        return d

    def stop(self):
        """Stops everything, whatever becomes of each; a program that did not end cleanly fails the test."""
        faults = []
        for d in [*self.daemons, self.broker]:
            if d is None or d.out.closed:
                continue
            try:
                code = d.stop()
                if code not in (0, -signal.SIGTERM):
                    faults.append(f"{d.name} ended with {code}:\n{d.text()[-4000:]}")
            except AssertionError as fault:
                faults.append(str(fault))
        self.daemons, self.broker = [], None
        assert not faults, "\n".join(faults)

    # --- asking ---

    def curl_plain(self, path):
        """GET on the admin listener; body, then the status on a line of its own."""
        return subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", "--max-time", "5",
                               f"http://127.0.0.1:{self.admin_port}{path}"],
                              capture_output=True, text=True, check=False)

    def metrics(self):
        """The OpenMetrics samples as {"name{labels}": value}."""
        out = {}
        for line in self.curl_plain("/metrics").stdout.splitlines():
            if line and not line.startswith("#") and " " in line:
                name, value = line.rsplit(" ", 1)
                out[name] = float(value)
        return out

    def curl(self, *args, cert=None, host=None, path="/dns-query", timeout=10):
        """curl against the broker; returns (http status, headers dict, body bytes); status 0: no HTTP answer."""
        host = host or self.host
        head = self.folder / f"head-{time.monotonic_ns()}"
        command = ["curl", "-sS", "--max-time", str(timeout), "--cacert", str(self.root), "-D", str(head),
                   "--resolve", f"{host}:{self.port}:127.0.0.1"]
        if cert:
            command += ["--cert", str(cert.chain), "--key", str(cert.key)]
        command += [*map(str, args), f"https://{host}:{self.port}{path}"]
        done = subprocess.run(command, capture_output=True, check=False)
        lines = head.read_text().splitlines() if head.exists() else []
        if not lines:
            return 0, {"error": done.stderr.decode()}, done.stdout
        headers = {k.strip().lower(): v.strip() for k, _, v in (l.partition(":") for l in lines[1:]) if k.strip()}
        return int(lines[0].split()[1]), headers, done.stdout

    def query(self, name, rdtype, cert, http="--http2", method="POST", edns=False):
        """One DoH exchange by curl, message built and read by dnspython; raises on any status but 200."""
        status, headers, body = self.query_raw(name, rdtype, cert, http, method, edns)
        assert status == 200, f"{status} {headers} {body!r}"
        return dns.message.from_wire(body)

    def query_raw(self, name, rdtype, cert, http="--http2", method="POST", edns=False, host=None):
        wire = dns.message.make_query(name, rdtype, use_edns=edns).to_wire()
        wire = b"\0\0" + wire[2:]
        if method == "GET":
            text = base64.urlsafe_b64encode(wire).rstrip(b"=").decode()
            return self.curl(http, cert=cert, host=host, path=f"/dns-query?dns={text}")
        body = self.folder / f"query-{time.monotonic_ns()}"
        body.write_bytes(wire)
        return self.curl(http, "-H", "content-type: application/dns-message", "--data-binary", f"@{body}",
                         cert=cert, host=host)

    def kdig(self, name, rdtype, cert, *more):
        command = ["kdig", "@127.0.0.1", "-p", str(self.port), "+https", f"+tls-ca={self.root}",
                   f"+tls-hostname={self.host}", f"+tls-certfile={cert.chain}", f"+tls-keyfile={cert.key}",
                   "+timeout=5", "+retry=0", *more, name, rdtype]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def dig(self, name, rdtype, cert, *more):
        command = ["dig", "@127.0.0.1", "-p", str(self.port), "+https", f"+tls-ca={self.root}",
                   f"+tls-hostname={self.host}", f"+tls-certfile={cert.chain}", f"+tls-keyfile={cert.key}",
                   "+timeout=5", "+tries=1", *more, name, rdtype]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
