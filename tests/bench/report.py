"""The page docs/bench.md: the machine, the table, the targets."""
import os
import pathlib
import platform
import statistics
import subprocess

import attacks
import batches
import certificates
import huge
import imports

OURS, BIND, STATIC = "fedroam-broker", "BIND", "nghttpd"
# row → least ratio to BIND, to nghttpd
TARGETS = {
    "GET 8×32": (8.5, 1.1), "POST 8×32": (10, None), "GET 32×1": (None, 1), "GET 1×1": (1.5, 1), "POST 1×1": (1.5, None),
    "new handshakes": (1.4, 1), "resumed handshakes": (2.4, 1),
}


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def median(results, label, server, key):
    runs = results[label].get(server)
    return statistics.median(r[key] for r in runs) if runs else None


def ratio(a, b):
    return a / b if a is not None and b else None


def held(value, target):
    """The ratio, and whether it is what was aimed at."""
    if value is None:
        return "–"
    if target is None:
        return f"{value:.2f}"
    return f"{value:.2f} ({'≥' if value >= target else '**below**'} {target:g})"


def speed_table(results):
    lines = [f"| row | {OURS} | {BIND} | {STATIC} | to BIND | to nghttpd |", "|---|--:|--:|--:|--:|--:|"]
    for label in results:
        ours, bind, static = (median(results, label, s, "rate") for s in (OURS, BIND, STATIC))
        to_bind, to_static = TARGETS.get(label, (None, None))
        lines.append(f"| {label} | {number(ours)} | {number(bind)} | {number(static)} | {held(ratio(ours, bind), to_bind)} | "
                     f"{held(ratio(ours, static), to_static)} |")
    return lines


def latency(results, label, server, which):
    runs = results[label].get(server)
    return statistics.median(r["latency_us"][which] for r in runs) if runs else None


def latency_table(results):
    lines = [f"| row | {OURS} p50 | p99 | {BIND} p50 | p99 | {STATIC} p50 | p99 |", "|---|--:|--:|--:|--:|--:|--:|"]
    for label in results:
        cells = [number(latency(results, label, s, w)) for s in (OURS, BIND, STATIC) for w in ("p50", "p99")]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def cost_table(facts):
    mib, kb = 1024 * 1024, 1000
    lines = [f"| | {OURS} | {BIND} | {STATIC} |", "|---|--:|--:|--:|"]
    rows = [
        ("start to first answer, ms", facts["start"], lambda v: f"{v * 1000:,.0f}"),
        ("RssAnon after the rounds, MiB", facts["rss"], lambda v: f"{v / mib:,.1f}"),
        ("an idle connection, kB", facts["idle"], lambda v: f"{v / kb:,.1f}"),
    ]
    for label, values, show in rows:
        lines.append(f"| {label} | {' | '.join(show(values[s]) for s in (OURS, BIND, STATIC))} |")
    return lines


def version(command, pattern):
    """The first word with a digit that starts what the program says about itself."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    for word in text.replace("/", " ").split():
        if word[0].isdigit():
            return word.rstrip(",")
    return pattern


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def os_name():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return platform.system()


def machine():
    return (f"{cpu_model()}, {os.cpu_count()} cores, {os_name()}, Linux {platform.release().split('-')[0]}, "
            f"BIND {version(['/usr/sbin/named', '-v'], '?')}, nghttpd {version(['/usr/sbin/nghttpd', '--version'], '?')}, "
            f"OpenSSL {version(['openssl', 'version'], '?')}.")


def generator_line(results):
    runs = [r for label in results for r in results[label].get(OURS, [])]
    busiest = max(r["generator_s"] / (r["took_us"] / 1e6) for r in runs if r["answered"] > 0)
    fast = results["GET 8×32"][OURS]
    share = statistics.median(r["generator_s"] / (r["took_us"] / 1e6) for r in fast)
    load = statistics.median(r["server_s"] / (r["took_us"] / 1e6) for r in fast)
    return (f"While the broker used {load:.0%} of its core at GET 8×32, the generator used {share:.0%} of its own "
            f"({busiest:.0%} in its busiest row).")


def page(results, facts):
    devices, per = facts["devices"], facts["bytes"]
    lines = [
        "# Bench",
        "",
        "Written by `./dev bench`; what it means is in [performance.md](performance.md).",
        "",
        machine(),
        f"Other programs took {facts['others']:.0%} of the machine meanwhile. "
        f"{facts['rounds']} rounds of {facts['seconds']:g} s a row, a zone of {devices:,} devices, medians.",
        "",
        "## Answers and handshakes for each second of the server's CPU",
        "",
        *speed_table(results),
        "",
        "Rows are method, connections × streams. The broker checks the certificate against its registry, the authority and "
        "the budgets on every request. BIND checks that the CA signed it, once. nghttpd gets the same GET requests, verifies "
        "nobody and returns one static file. In brackets: the ratio aimed at.",
        "",
        f"Two workers answer {facts['workers']:.2f} times as much for each CPU second as one (aimed at: 0.9). "
        f"{generator_line(results)}",
        "",
        "## Latency as the generator saw it, µs",
        "",
        *latency_table(results),
        "",
        "In a closed loop: with 8×32 there are always 256 questions waiting, so the latency there is 256 divided by the rate.",
        "",
        "## Memory, start, disk",
        "",
        *cost_table(facts),
        "",
        f"A device takes {per:.1f} bytes on disk after the first import (all of the store's file; aimed at: 30). "
        f"The import of {devices:,} devices in random order took {facts['import_s']:.2f} s: "
        f"{devices / facts['import_s']:,.0f} a second.",
        "",
        *imports.lines(facts["imports"]),
        *(huge.lines(facts["huge"]) if "huge" in facts else ()),
        "",
        *batches.lines(facts["batches"]),
        certificates.section(facts["certificates"]),
        attacks.section(facts["attacks"]),
    ]
    return "\n".join(lines)
