"""Rows of the bench about certificates: enrolments over EST, a large revocation list, lists of many certificates.

Alone: `certificates.py`.
"""
import base64
import pathlib
import statistics
import subprocess
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
    """The best of three, and lines printed."""
    best, lines = None, 0
    for _ in range(3):
        begin = time.monotonic()
        done = subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True)
        seconds = time.monotonic() - begin
        best, lines = min(best or seconds, seconds), len(done.stdout.splitlines())
    return best, lines


def measure(folder):
    folder = pathlib.Path(folder)
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

    (folder / "many").mkdir()
    many = Federation(folder / "many").init()
    authority = next((many.state / "ca").glob("*.pem")).stem
    subprocess.run([str(BIN.parent / "bench" / "bench_fill_certs"), str(many.state), str(ROWS), str(REVOKED), authority],
                   check=True)
    ours = (BIN / "fedroam", "--state", many.state)
    lists = [(" ".join(args), *timed(*ours, "cert", "list", *args))
             for args in (("--member", "m500"), ("--netid", "6001f4"), ("--status", "revoked"), ("--expiring", "1d"),
                          ("--expiring", "14d"))]
    crl, _ = timed(*ours, "ca", "crl", "publish")
    return {"renewals": renewals, "loop": loop, "crl": crl, "lists": lists}


def section(facts):
    """Of the page."""
    rows = "\n".join(f"| `cert list {args}` of {ROWS:,} | {seconds:.2f} s (≤ 1 s) | {lines:,} lines |"
                     for args, seconds, lines in facts["lists"])
    return f"""## Certificates

| what | | |
|---|--:|---|
| renewals over EST with mutual TLS, one worker, durable and audited | {facts['renewals']:,.0f} a second | {
    facts['renewals'] / facts['loop']:.1f} times the loop (≥ 5) |
| a loop of `openssl x509 -req` | {facts['loop']:,.0f} a second | |
| revocation list with {REVOKED:,} entries, of {ROWS:,} certificates | {facts['crl']:.2f} s (≤ 1 s) | signed, checked, on disk |
{rows}
"""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fr-bench-") as name:
        print(section(measure(name)))
