"""Rows of the bench about certificates: enrolments over EST, a large revocation list, lists of many certificates.

Alone: `certificates.py [CERTIFICATES REVOKED]`.
"""
import base64
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from servers import BIN, Federation

ROWS, REVOKED = 1_000_000, 100_000
RENEWALS, LOOP = 3_000, 200


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True).stdout


def renewals_a_second(fed, cert, count):
    """simplereenroll over mutual TLS, 64 connections of one curl, HTTP/1.1, kept open."""
    csr = fed.folder / "renewal"
    csr.write_bytes(base64.b64encode(openssl("req", "-new", "-key", cert.key, "-subj", "/", "-outform", "DER")))
    begin = time.monotonic()
    done = subprocess.run(["curl", "-sS", "--http1.1", "--parallel", "--parallel-max", "64", "--parallel-immediate", "--cacert",
                           str(fed.root), "--cert", str(cert.chain), "--key", str(cert.key), "--resolve",
                           f"ca.{fed.name}:{fed.port}:127.0.0.1", "-H", "Content-Type: application/pkcs10", "--data-binary",
                           f"@{csr}", "-o", "/dev/null", "-w", "%{http_code}\\n",
                           f"https://ca.{fed.name}:{fed.port}/.well-known/est/simplereenroll#[1-{count}]"],
                          capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begin
    if done.stdout.split().count("200") != count:
        raise SystemExit(f"renewals: {set(done.stdout.split())} {done.stderr[-300:]}")
    return count / seconds


def loop_a_second(fed, cert, count):
    """`openssl x509 -req`, one after the other: it keeps no register and syncs nothing."""
    issuing = next((fed.state / "ca").glob("*.pem"))
    csr = fed.folder / "loop.csr"
    csr.write_bytes(openssl("req", "-new", "-key", cert.key, "-subj", "/CN=000013"))
    script = (f"for i in $(seq {count}); do openssl x509 -req -in {csr} -CA {issuing} -CAkey {issuing.with_suffix('.key')} "
              f"-set_serial $i -days 30 -out {fed.folder}/loop.pem 2>/dev/null || exit 1; done")
    begin = time.monotonic()
    subprocess.run(["sh", "-c", script], check=True)
    return count / (time.monotonic() - begin)


def timed(*command):
    """Of the best of three: seconds, those of the processor, and lines printed."""
    best = None
    for _ in range(3):
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True)
        seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        now = (seconds, cpu, len(done.stdout.splitlines()) - 1)
        best = min(best or now, now)
    return best


def say(what):
    print(f"certificates: {what}", file=sys.stderr)


def measure(folder, rows=ROWS, revoked=REVOKED):
    folder = pathlib.Path(folder)
    say("enrolments")
    (folder / "enrol").mkdir()
    enrol = Federation(folder / "enrol", workers=1).init()
    enrol.member("acme", "000013")
    cert = enrol.cert("ns", member="acme", netid="000013")
    enrol.write_config(more="limits: {enrolments: 1000}\n")
    enrol.start_broker()
    try:
        renewals = statistics.median(renewals_a_second(enrol, cert, RENEWALS // 3) for _ in range(3))
    finally:
        enrol.stop()
    loop = loop_a_second(enrol, cert, LOOP)

    say(f"{rows:,} rows")
    (folder / "many").mkdir()
    many = Federation(folder / "many").init()
    authority = next((many.state / "ca").glob("*.pem")).stem
    subprocess.run([str(BIN.parent / "bench" / "bench_fill_certs"), str(many.state), str(rows), str(revoked), authority],
                   check=True)
    say("lists")
    ours = (BIN / "fedroam", "--state", many.state)
    lists = [(" ".join(args), *timed(*ours, "cert", "list", *args))
             for args in (("--member", "m500"), ("--netid", "6001f4"), ("--status", "revoked"), ("--status", "expired"), ("--expiring", "1d"),
                          ("--expiring", "14d"))]
    crl = timed(*ours, "ca", "crl", "publish")
    return {"renewals": renewals, "loop": loop, "crl": crl[:2], "lists": lists, "rows": rows, "revoked": revoked}


def section(facts):
    """Of the page."""
    rows = "\n".join(f"| `cert list {args}` of {facts['rows']:,} | {seconds:.2f} s (≤ 1 s) | {cpu:.2f} s of CPU, {lines:,} certificates |"
                     for args, seconds, cpu, lines in facts["lists"])
    crl, crl_cpu = facts["crl"]
    return f"""## Certificates

| what | | |
|---|--:|---|
| renewals over EST with mutual TLS, one worker, durable and audited | {facts['renewals']:,.0f} a second | {
    facts['renewals'] / facts['loop']:.1f} times the loop (≥ 5) |
| a loop of `openssl x509 -req` | {facts['loop']:,.0f} a second | |
| revocation list with {facts['revoked']:,} entries, of {facts['rows']:,} certificates | {crl:.2f} s (≤ 1 s) | {crl_cpu:.2f} s of CPU; signed, checked, on disk |
{rows}
"""


if __name__ == "__main__":
    sizes = [int(arg) for arg in sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="fr-bench-") as name:
        print(section(measure(name, *sizes)))
