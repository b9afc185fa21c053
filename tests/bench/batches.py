"""Rows of the bench about devices over the API: batches of random and of consecutive DevEUIs on a large table, and look-ups meanwhile.

Alone: `batches.py --devices 1000000`.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time

from imports import Questions, run_import, write_list
from servers import BIN, Broker, Federation

LINES = 500_000


def write_body(path, euis):
    with open(path, "w") as out:
        for eui in euis:
            out.write(f'{{"op":"put","eui":"{eui}","netid":"000013"}}\n')


def send(fed, broker, cert, body):
    """Lines a second, wall clock and CPU of the broker; every line was added, and is on disk."""
    cpu, begin = broker.cpu_s(), time.monotonic()
    done = subprocess.run(["curl", "-sS", "--cacert", cert.root, "--cert", cert.chain, "--key", cert.key, "--resolve",
                           f"{fed.host}:{broker.port}:127.0.0.1", "-H", "Content-Type: application/x-ndjson", "-T", body, "-X", "POST",
                           f"https://{fed.host}:{broker.port}/api/v1/devices:batch"], capture_output=True, check=True)
    seconds, cpu = time.monotonic() - begin, broker.cpu_s() - cpu
    if done.stdout.count(b'"added"') != LINES:
        raise SystemExit(f"batch: {done.stdout[:300]}")
    return {"rate": LINES / seconds, "cpu_rate": LINES / max(cpu, 0.01)}


def measure(folder, devices):
    fed = Federation(folder / "batches", workers=1)
    fed.folder.mkdir()
    fed.init()
    fed.member("acme", "000013", "192.0.2.10:8005")
    for key, most in (("unknown", 1000000000), ("misses", 1000000), ("queries", 1000000), ("connections", 1000000)):
        fed.cli("policy", "set", f"budget.{key}", most, "--yes")
    there, names, body = folder / "batches.csv", folder / "batches-names.csv", folder / "batches.ndjson"
    fed.known = write_list(there, devices)
    with open(there) as text, open(names, "w") as out:
        out.writelines(line for line, _ in zip(text, range(100000)))
    run_import(fed, "000013", there)
    there.unlink()
    cert = fed.cert("doh", member="acme")
    fed.cli("cert", "set", cert.serial, "--right", "lookup", "--right", "publish")
    facts = {"devices": devices}
    broker = Broker(folder, fed, cert, core=None).start()
    try:
        write_body(body, (f"02000000{i:08x}" for i in range(LINES)))
        facts["row"] = send(fed, broker, cert, body)
        facts["idle_p99_us"] = Questions(broker, names).stop()
        write_body(body, os.urandom(8 * LINES).hex("\n", 8).split("\n"))
        questions = Questions(broker, names)
        facts["random"] = send(fed, broker, cert, body)
        facts["p99_us"] = questions.stop()
        facts["anon"] = broker.rss_anon()
    finally:
        broker.stop()
    fed.cli("zone", "check")
    body.unlink()
    return facts


def lines(facts):
    """The section of the page."""
    row, some = facts["row"], facts["random"]
    return [
        "## Devices over the API",
        "",
        f"| `POST /devices:batch`, {LINES:,} lines, {facts['devices']:,} random devices there | a second | for each second of the "
        "broker's CPU |",
        "|---|--:|--:|",
        f"| DevEUIs in a row | {row['rate']:,.0f} | {row['cpu_rate']:,.0f} |",
        f"| random DevEUIs, one client asking meanwhile | {some['rate']:,.0f} (≥ 100,000) | {some['cpu_rate']:,.0f} |",
        "",
        f"One worker. p99 of one client's answers: {facts['idle_p99_us']:,.0f} µs idle, {facts['p99_us']:,.0f} µs beside the random "
        f"batch. RssAnon of the broker afterwards: {facts['anon'] / 1024 / 1024:.0f} MiB.",
        "",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=10_000_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fr-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        facts = measure(folder, args.devices)
        print(json.dumps(facts))
        print("\n".join(lines(facts)))


if __name__ == "__main__":
    main()
