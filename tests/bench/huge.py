"""A federation as large as they come: import, start, memory, hot backup, verified restore.

Alone: `huge.py --devices 100000000`; it needs some fifteen times the table's size of free disk (40 GB) for lists, backup and copies.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

from imports import write_list
from servers import BIN, Broker, Federation, TICK

DEVICES = 100_000_000
ASKED_S = 3


class Run:
    """One command to its end: seconds on the wall and of CPU, and the most anonymous memory that it had."""

    def __init__(self, *command, secret=None):
        self.anon = 0
        read = None
        if secret:
            read, write = os.pipe()
            os.write(write, secret.encode())
            os.close(write)
            command = (*command, "--backup-passphrase-fd", read)
        begin = time.monotonic()
        self.process = subprocess.Popen([BIN / "fedroam", *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=[read] if read else [])
        if read:
            os.close(read)
        watch = threading.Thread(target=self._watch)
        watch.start()
        self.said = self.process.stdout.read()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        watch.join()
        self.wall, self.cpu = time.monotonic() - begin, usage.ru_utime + usage.ru_stime
        if status:
            raise SystemExit(f"{' '.join(map(str, command))} ended with {self.process.returncode}")

    def _watch(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status")
        try:
            while self.process.returncode is None:
                for line in status.read_text().splitlines():
                    if line.startswith("RssAnon:"):
                        self.anon = max(self.anon, int(line.split()[1]) * 1024)
                time.sleep(0.05)
        except (OSError, ValueError):
            pass  # it is over


def machine_busy():
    fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:8]]
    return (sum(fields) - fields[3] - fields[4]) / TICK


def ask(broker, names, seconds):
    done = subprocess.run([BIN / "fedroam", "bench", "doh", "--config", broker.client, "--names", names, "--connections", "8", "--streams",
                           "32", "--duration", f"{seconds}s", "-o", "json"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def measure(folder, devices=DEVICES):
    fed = Federation(folder / "huge", workers=1)
    fed.folder.mkdir()
    fed.init()
    fed.member("acme", "000013", "192.0.2.10:8005")
    fed.member("small", "00002b", "192.0.2.20:8005")
    for key, most in (("unknown", 1000000000), ("misses", 1000000), ("queries", 1000000), ("connections", 1000000)):
        fed.cli("policy", "set", f"budget.{key}", most, "--yes")
    names, listed = folder / "huge-names.csv", folder / "huge.csv"
    fed.known = write_list(listed, devices)
    with open(listed) as text, open(names, "w") as out:
        out.writelines(line for line, _ in zip(text, range(200000)))
    begin, busy = time.monotonic(), machine_busy()
    facts = {"devices": devices, "import": Run("--state", fed.state, "zone", "import", "--netid", "000013", "--yes", listed)}
    facts["bytes"] = (fed.state / "data.mdb").stat().st_size / devices
    fed.cli("device", "add", "--netid", "00002b", "70b3d57ed0000001", "f0b3d57ed0000001")
    listed.unlink()
    broker = Broker(folder, fed, fed.cert("doh", member="acme"), core=None)
    small = fed.cert("doh", member="small")
    fed.cli("cert", "set", small.serial, "--right", "lookup", "--right", "publish")
    own = folder / "huge-small.yaml"
    own.write_text(broker.client.read_text().replace(str(broker.cert.chain), str(small.chain)).replace(str(broker.cert.key), str(small.key)))
    backup = folder / "huge.frb"
    try:
        facts["start_s"] = broker.start().start_s
        facts["idle"] = ask(broker, names, ASKED_S)
        facts["list"] = Run("device", "list", "--broker", f"https://{fed.host}:{broker.port}", "--config", own)
        if len(facts["list"].said.splitlines()) != 2:
            raise SystemExit(f"two devices expected: {facts['list'].said}")
        asking = {}
        asker = threading.Thread(target=lambda: asking.update(ask(broker, names, 10)))
        asker.start()
        facts["backup"] = Run("--state", fed.state, "backup", "create", "--out", backup, secret="bench")
        asker.join()
        facts["busy"] = asking
        facts["anon"] = broker.rss_anon()
    finally:
        broker.stop()
    facts["size"] = backup.stat().st_size
    trail = shutil.copy(fed.state / "audit.jsonl", folder / "huge.jsonl")
    shutil.rmtree(fed.state)
    facts["verify"] = Run("backup", "verify", backup, secret="bench")
    facts["restore"] = Run("restore", backup, "--state", fed.state, "--audit", trail, secret="bench")
    facts["check"] = Run("--state", fed.state, "zone", "check")
    count = json.loads(fed.cli("-o", "json", "zone", "stats").stdout)["devices"]
    if count != devices + 2:
        raise SystemExit(f"{devices + 2} devices expected in what was restored, there are {count}")
    ours = sum(facts[key].cpu for key in ("import", "backup", "verify", "restore", "check", "list"))
    facts["others"] = max(machine_busy() - busy - ours, 0) / (time.monotonic() - begin) / os.cpu_count()
    shutil.rmtree(fed.state)
    backup.unlink()
    return facts


def lines(facts):
    """The section of the page."""
    mib = 1024 * 1024
    rows = (("import", "import of random devices into an empty zone (≤ 120 s within 1 GiB)"), ("backup", "hot backup, a broker answering (≤ 60 s)"),
            ("verify", "`backup verify`"), ("restore", "`restore`"), ("check", "`zone check` of what was restored"),
            ("list", "a member's list of its 2 devices, over the API"))
    return [
        f"## {facts['devices']:,} devices",
        "",
        "| what | s | of CPU | most RssAnon, MiB |",
        "|---|--:|--:|--:|",
        *(f"| {label} | {facts[key].wall:.1f} | {facts[key].cpu:.1f} | {facts[key].anon / mib:.0f} |" for key, label in rows),
        "",
        f"A device takes {facts['bytes']:.1f} bytes on disk, the backup {facts['size'] / mib:,.0f} MiB. The broker answered "
        f"{1000 * facts['start_s']:.0f} ms after its start (≤ 200), {facts['idle']['answered'] / ASKED_S:,.0f} a second then, p99 "
        f"{facts['idle']['latency_us']['p99']:,.0f} µs, and {facts['busy']['latency_us']['p99']:,.0f} µs beside the backup; its RssAnon was "
        f"{facts['anon'] / mib:.0f} MiB (≤ 64). Other programs, the broker and the generator among them, took {facts['others']:.0%} of the machine.",
        "",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=DEVICES)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fr-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        print("\n".join(lines(measure(folder, args.devices))))


if __name__ == "__main__":
    main()
