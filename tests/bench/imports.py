"""Import rows of the bench: a first import of random devices, and changes to it while a broker serves.

Alone: `imports.py --devices 100000000` (names from the generator of the kernel, in no order).
"""
import argparse
import http.client
import json
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import threading
import time

from servers import BIN, Broker, Federation

PIECE = 1_000_000


def write_list(path, count):
    """That many random EUIs, one a line; the first of them."""
    with open(path, "w") as out:
        for at in range(0, count, PIECE):
            out.write(os.urandom(8 * min(PIECE, count - at)).hex("\n", 8) + "\n")
    with open(path) as text:
        return text.readline().strip()


def run_import(fed, netid, path):
    """Seconds, and the most memory that the command had."""
    begin = time.monotonic()
    pid = os.posix_spawn(BIN / "fedroam", [str(BIN / "fedroam"), "--state", str(fed.state), "zone", "import", "--netid",
                                           netid, "--yes", str(path)], os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise SystemExit(f"zone import ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - begin, usage.ru_maxrss * 1024


class Control(http.client.HTTPConnection):
    """control.sock, as the command uses it."""

    def __init__(self, state):
        super().__init__("localhost")
        self.path = str(state / "control.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Singles(threading.Thread):
    """One change after the other: how long each takes until it is durable and served."""

    def __init__(self, state):
        super().__init__()
        self.control, self.took, self.is_over = Control(state), [], False
        self.start()

    def run(self):
        while not self.is_over:
            change = {"args": {"netid": "00002b", "devices": [os.urandom(8).hex()]}}
            begin = time.monotonic()
            self.control.request("POST", "/admin/v1/device.add", json.dumps(change), {"content-type": "application/json"})
            answer = self.control.getresponse()
            answer.read()
            self.took.append(time.monotonic() - begin)
            if answer.status != 200:
                raise SystemExit(f"device.add: {answer.status}")
            time.sleep(0.002)

    def stop(self):
        self.is_over = True
        self.join()
        return {"p50_ms": 1000 * statistics.median(self.took), "max_ms": 1000 * max(self.took), "n": len(self.took)}


class Questions:
    """Answers to one client at a time, until stopped: p99 as it saw it."""

    def __init__(self, server, names):
        self.process = subprocess.Popen([BIN / "fedroam", "bench", "doh", "--config", server.client, "--names", names,
                                         "--connections", "1", "--streams", "1", "--duration", "2s", "-o", "json"],
                                        stdout=subprocess.PIPE, text=True)

    def stop(self):
        return json.loads(self.process.communicate()[0])["latency_us"]["p99"]


def measure(folder, devices):
    fed = Federation(folder / "imports", workers=1)
    fed.folder.mkdir()
    fed.init()
    fed.member("acme", "000013", "192.0.2.10:8005")
    fed.member("bolt", "00002b", "192.0.2.20:8005")
    for key, most in (("unknown", 1000000000), ("misses", 1000000), ("queries", 1000000), ("connections", 1000000)):
        fed.cli("policy", "set", f"budget.{key}", most, "--yes")
    first, some, more = (folder / f"imports-{name}.csv" for name in ("first", "some", "more"))
    names = folder / "imports-names.csv"
    fed.known = write_list(first, devices)
    with open(first) as text, open(names, "w") as out:
        out.writelines(line for line, _ in zip(text, range(100000)))
    write_list(some, devices // 10)
    write_list(more, devices)
    facts = {"devices": devices}
    facts["first_s"], facts["first_rss"] = run_import(fed, "000013", first)
    facts["bytes"] = (fed.state / "data.mdb").stat().st_size / devices
    cert = fed.cert("doh", member="acme")
    broker = Broker(folder, fed, cert, core=None).start()
    try:
        facts["idle_p99_us"] = Questions(broker, names).stop()
        singles = Singles(fed.state)
        time.sleep(1)
        facts["single"] = singles.stop()
        questions, singles = Questions(broker, names), Singles(fed.state)
        facts["some_s"], _ = run_import(fed, "000013", some)
        facts["single_some"], facts["some_p99_us"] = singles.stop(), questions.stop()
        singles = Singles(fed.state)
        facts["more_s"], _ = run_import(fed, "000013", more)
        facts["single_more"] = singles.stop()
        facts["anon"] = broker.rss_anon()
    finally:
        broker.stop()
    fed.cli("zone", "check")
    for path in (first, some, more):
        path.unlink()
    return facts


def lines(facts):
    """The section of the page."""
    devices, some = facts["devices"], facts["devices"] // 10
    mib = 1024 * 1024
    single, single_some, single_more = facts["single"], facts["single_some"], facts["single_more"]
    return [
        "## Import",
        "",
        "| what | s | a second | a single change meanwhile, ms: median, longest |",
        "|---|--:|--:|--:|",
        f"| {devices:,} random devices into an empty zone | {facts['first_s']:.1f} | {devices / facts['first_s']:,.0f} | |",
        f"| {some:,} more of them in place, broker serving | {facts['some_s']:.1f} | {some / facts['some_s']:,.0f} | "
        f"{single_some['p50_ms']:.1f}, {single_some['max_ms']:.0f} |",
        f"| {devices:,} more, merged apart, broker serving | {facts['more_s']:.1f} | {devices / facts['more_s']:,.0f} | "
        f"{single_more['p50_ms']:.1f}, {single_more['max_ms']:.0f} |",
        "",
        f"The command used {facts['first_rss'] / mib:.0f} MiB for the first, which left {facts['bytes']:.1f} bytes a device on "
        f"disk. With nothing else to do a single change is durable and served after {single['p50_ms']:.2f} ms (median of "
        f"{single['n']}; longest {single['max_ms']:.1f}). p99 of one client's answers: {facts['idle_p99_us']:,.0f} µs idle, "
        f"{facts['some_p99_us']:,.0f} µs beside the changes in place. RssAnon of the broker afterwards: "
        f"{facts['anon'] / mib:.0f} MiB.",
        "",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=10_000_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fr-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        print("\n".join(lines(measure(folder, args.devices))))


if __name__ == "__main__":
    main()
