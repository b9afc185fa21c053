"""`./dev bench`: fedroam-broker, BIND and nghttpd in turn, one core for the server, one for the generator.

Every round runs every row against every server before the next round begins, so that a busy moment of
the machine meets all of them. A row counts answers (or handshakes) for each second of the *server's*
CPU time, user and system; the table has the median over the rounds and the ratios of the medians.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import attacks
import batches
import certificates
import huge
import imports
import report
from memory import idle_connection_bytes
from servers import BIN, TICK, Bind, Broker, Nghttpd, make_federation, pinned

# label, what is counted, options of `fedroam bench doh`, which servers have the row
STATIC = {"fedroam-broker", "BIND", "nghttpd"}
DNS = {"fedroam-broker", "BIND"}
ROWS = [
    ("GET 8×32", "answered", ["--get", "--connections", "8", "--streams", "32"], STATIC),
    ("POST 8×32", "answered", ["--connections", "8", "--streams", "32"], DNS),
    ("GET 32×1", "answered", ["--get", "--connections", "32", "--streams", "1"], STATIC),
    ("POST 32×1", "answered", ["--connections", "32", "--streams", "1"], DNS),
    ("GET 1×1", "answered", ["--get", "--connections", "1", "--streams", "1"], STATIC),
    ("POST 1×1", "answered", ["--connections", "1", "--streams", "1"], DNS),
    ("POST 8×32, unknown", "answered", ["--connections", "8", "--streams", "32", "--miss", "100"], DNS),
    ("new handshakes", "handshakes", ["--get", "--connections", "8", "--streams", "1", "--per-connection", "1"], STATIC),
    ("resumed handshakes", "resumed",
     ["--get", "--connections", "8", "--streams", "1", "--per-connection", "1", "--resume"], STATIC),
]


def machine_busy_s():
    """CPU seconds of all programs on all cores so far."""
    user, nice, system, _, _, irq, softirq = map(int, pathlib.Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / TICK


def measure(server, names, options, seconds, core=1):
    """One run of the generator: its report, and the CPU seconds it cost the server and itself."""
    before = server.cpu_s()
    command = [BIN / "fedroam", "bench", "doh", "--config", server.client, "-o", "json", "--names", names,
               "--duration", f"{round(seconds * 1000)}ms", *options]
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(pinned(core, *command), capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{server.name}: {done.stderr}")
    got = json.loads(done.stdout)
    bad = got["answered"] - got["status"].get("200", 0) + got["resets"]
    if bad:
        raise SystemExit(f"{server.name}: {bad} of {got['answered']} answers are not right: {got['status']}")
    got["server_s"] = max(server.cpu_s() - before, 0.01)
    got["generator_s"] = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    return got


def run_rounds(servers, fed, rounds, seconds):
    """{row: {server: [report, …]}}, and the share of the machine that other programs took meanwhile."""
    results = {}
    begin, busy = time.monotonic(), machine_busy_s()
    for number in range(rounds):
        for label, counted, options, who in ROWS:
            for server in servers:
                if server.name not in who:
                    continue
                print(f"round {number + 1}/{rounds}: {label}, {server.name}", file=sys.stderr)
                got = measure(server, fed.names, options, seconds)
                got["rate"] = got[counted] / got["server_s"]
                results.setdefault(label, {}).setdefault(server.name, []).append(got)
    ours = sum(r["server_s"] + r["generator_s"] for row in results.values() for runs in row.values() for r in runs)
    return results, max(machine_busy_s() - busy - ours, 0) / (time.monotonic() - begin) / os.cpu_count()


def rate_of_workers(server, fed, rounds, seconds):
    """Answers a CPU second of a broker that may use every core, as the generator may."""
    server.core = None
    server.start()
    try:
        options = ["--connections", "32", "--streams", "32"]
        runs = [measure(server, fed.names, options, seconds, core=None) for _ in range(rounds)]
        return statistics.median(got["answered"] / got["server_s"] for got in runs)
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--devices", type=int, default=1_000_000)
    parser.add_argument("--imports", type=int, default=10_000_000, help="devices of the import rows")
    parser.add_argument("--huge", action="store_true", help=f"also {huge.DEVICES:,} devices: some minutes, 40 GB of disk")
    parser.add_argument("--seconds", type=float, default=2, help="of one run")
    parser.add_argument("--report", type=pathlib.Path, help="write the page there (docs/bench.md)")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.seconds, args.imports = 2, 1, min(args.imports, 1_000_000)
    with tempfile.TemporaryDirectory(prefix="fr-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        fed = make_federation(folder, args.devices, seed=1)
        cert = fed.cert("doh", member="acme")
        servers = [Broker(folder, fed, cert), Bind(folder, fed, cert), Nghttpd(folder, fed, cert)]
        try:
            for server in servers:
                server.start()
            results, others = run_rounds(servers, fed, args.rounds, args.seconds)
            facts = {
                "rss": {s.name: s.rss_anon() for s in servers},
                "start": {s.name: s.start_s for s in servers},
                "idle": {s.name: idle_connection_bytes(s, cert) for s in servers},
                "devices": fed.count,
                "bytes": (fed.state / "data.mdb").stat().st_size / fed.count,
                "import_s": fed.import_s,
                "others": others,
                "rounds": args.rounds,
                "seconds": args.seconds,
            }
            print("attacks", file=sys.stderr)  # after the memory of the rounds was read
            facts["attacks"] = attacks.measure(servers[0], fed, cert)
        finally:
            for server in servers:
                server.stop()
        one, two = (rate_of_workers(Broker(folder, fed, cert, workers=n), fed, args.rounds, args.seconds)
                    for n in (1, 2))
        facts["workers"] = two / one
        print("imports", file=sys.stderr)
        facts["imports"] = imports.measure(folder, args.imports)
        print("batches", file=sys.stderr)
        facts["batches"] = batches.measure(folder, args.imports)
        print("certificates", file=sys.stderr)
        facts["certificates"] = certificates.measure(folder, *((100_000, 10_000) if args.quick else ()))
        if args.huge:
            print("huge", file=sys.stderr)
            facts["huge"] = huge.measure(folder)
    page = report.page(results, facts)
    if args.report:
        args.report.write_text(page)
    print(page)


main()
