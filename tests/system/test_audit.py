"""The audit trail: its chain, what happens when it cannot be written, its second copy, the commands."""
import json
import os
import signal
import subprocess

import pytest

from fed import BIN, ENV, Federation, wait_until


def lines(fed, name="audit.jsonl"):
    return [json.loads(line) for line in (fed.state / name).read_text().splitlines()]


@pytest.fixture
def acme(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    return fed


def verify(fed, *args, code=0):
    return fed.cli("audit", "verify", *args, code=code).stdout


def test_who_did_what_is_chained(acme):
    cert = acme.cert("ns", member="acme", netid="000013")
    acme.cli("member", "suspend", "nobody", code=7)
    acme.cli("cert", "revoke", cert.serial, "--reason", "a test")
    assert "the chain holds" in verify(acme)
    all_of_it = lines(acme)
    assert [l["seq"] for l in all_of_it] == list(range(1, len(all_of_it) + 1))
    assert all(a["hash"] == b["prev"] for a, b in zip(all_of_it, all_of_it[1:]))
    intent, issued = [l for l in all_of_it if l["op"] == "cert.issue"]
    assert (intent["outcome"], issued["outcome"]) == ("intent", "done")
    assert intent["result"]["serial"] == issued["result"]["serial"] == cert.serial
    assert issued["result"]["certificate"] and issued["sequence"] and "body_sha256" in issued
    assert issued["uid"] == os.getuid() and issued["actor"].startswith("cli:")
    refused, = [l for l in all_of_it if l["op"] == "member.suspend"]
    assert refused["outcome"] == "not found" and "nobody" in refused["why"]
    revoked, = [l for l in all_of_it if l["op"] == "cert.revoke"]
    assert revoked["reason"] == "a test" and revoked["result"]["revoked"] == 1


def test_the_first_line_is_how_it_began(acme):
    first = lines(acme)[0]
    assert (first["seq"], first["op"], first["outcome"], first["uid"]) == (1, "ca.init", "done", os.getuid())
    assert json.loads(first["args"])["fed"] == acme.name
    text = subprocess.run(["openssl", "x509", "-in", acme.root, "-noout", "-fingerprint", "-sha256"], capture_output=True, text=True, check=True)
    assert first["result"]["root_sha256"] == text.stdout.strip().split("=")[1].replace(":", "").lower()
    assert (acme.state / "audit.jsonl").stat().st_mode & 0o777 == 0o600


def test_every_edit_is_found(acme):
    for i in range(4):
        acme.cli("member", "set", "acme", "--org", f"organisation {i}")
    path = acme.state / "audit.jsonl"
    whole = path.read_text().splitlines(keepends=True)
    for number, edited in (
            (3, whole[:2] + [whole[2].replace("organisation 0", "organisation 7")] + whole[3:]),
            (3, whole[:2] + whole[3:]),
            (2, whole[:1] + [whole[2], whole[1]] + whole[3:]),
            (3, whole[:2] + [whole[1]] + whole[2:]),
            (3, whole[:2] + ["a line of another kind\n"] + whole[2:]),
            (len(whole), whole[:-1])):
        path.write_text("".join(edited))
        assert f"line {number}:" in verify(acme, code=1)
        told = json.loads(acme.cli("-o", "json", "audit", "verify", code=1).stdout)
        assert not told["holds"] and told["faults"][0]["line"] == number
    path.write_text("".join(whole))
    assert "the chain holds" in verify(acme)


def test_tail_export_and_rotate(acme):
    acme.cli("member", "set", "acme", "--org", "one")
    assert "member.set done" in acme.cli("audit", "tail", "-n", "1").stdout
    last = lines(acme)[-1]
    assert json.loads(acme.cli("-o", "json", "audit", "tail", "--lines", "1").stdout) == last
    assert acme.cli("audit", "tail", "-n", "0").stdout == ""
    assert len(acme.cli("audit", "export", "-o", "json").stdout.splitlines()) == 3
    assert acme.cli("audit", "export", "--until", "2020-01-01", "-o", "json").stdout == ""
    assert last["time"] in acme.cli("audit", "export", "--since", last["time"]).stdout
    acme.cli("audit", "export", "--since", "yesterday", code=64)
    acme.cli("audit", "rotate", "--dry-run")
    assert "audit-1-" in acme.cli("audit", "rotate", "--reason", "archive").stdout
    old, = acme.state.glob("audit-1-*.jsonl")
    assert lines(acme)[0]["op"] == "audit.begin" and lines(acme)[0]["seq"] == len(lines(acme, old.name)) + 1
    assert "the chain holds" in verify(acme) and "the chain holds" in verify(acme, old)
    text = old.read_text() + (acme.state / "audit.jsonl").read_text()
    (acme.folder / "joined.jsonl").write_text(text)
    assert "the chain holds" in verify(acme, acme.folder / "joined.jsonl")


def test_tail_follows_also_into_a_new_file(acme):
    acme.start_broker()
    out = acme.folder / "tail.out"
    with open(out, "wb") as sink, subprocess.Popen([str(BIN / "fedroam"), "--state", str(acme.state), "audit", "tail", "-f"],
                                                   stdout=sink, env=ENV) as tail:
        wait_until(lambda: "member.add" in out.read_text(), what="what was there")
        acme.cli("member", "set", "acme", "--org", "one")
        wait_until(lambda: "member.set" in out.read_text(), what="what came")
        acme.cli("audit", "rotate")
        acme.cli("member", "suspend", "acme")
        wait_until(lambda: "member.suspend" in out.read_text(), what="what came into the new file")
        tail.send_signal(signal.SIGINT)
    assert "the chain holds" in verify(acme)


def test_a_torn_line_is_kept_and_noted(acme):
    path = acme.state / "audit.jsonl"
    whole = path.read_text()
    path.write_text(whole + '{"seq":3,"time":"2026')
    assert "in the middle" in verify(acme, code=1)
    acme.cli("member", "set", "acme", "--org", "one")
    assert "the chain holds" in verify(acme)
    torn, = acme.state.glob("audit.torn-*")
    assert torn.read_text() == '{"seq":3,"time":"2026' and lines(acme)[2]["op"] == "audit.torn"


# --- when it cannot be written ---

def break_trail(fed):
    """Nobody, not even root, writes to a folder."""
    path = fed.state / "audit.jsonl"
    path.rename(fed.state / "kept.jsonl")
    path.mkdir()


def mend_trail(fed):
    (fed.state / "audit.jsonl").rmdir()
    (fed.state / "kept.jsonl").rename(fed.state / "audit.jsonl")


def test_without_a_trail_nothing_is_issued_and_look_ups_go_on(acme):
    doh = acme.cert("doh", member="acme")
    acme.devices("000013", ["70b3d57ed0000001"])
    acme.start_broker()
    secret = acme.cli("token", "create", "--member", "acme", "--profile", "ns", "--netid", "000013").stdout.strip()
    before = acme.json("cert", "list")
    break_trail(acme)
    for args in (("cert", "issue", "--profile", "ns", "--member", "acme", "--netid", "000013", "--generate", "--out",
                  acme.folder / "no"), ("member", "set", "acme", "--org", "one"), ("ca", "crl", "publish")):
        done = acme.cli(*args, code=69)
        assert "the audit trail cannot be written" in done.stderr and "audit.jsonl" in done.stderr, args
    assert enrol_status(acme, secret) == 503
    assert acme.json("cert", "list") == before, "not even an intent"
    assert acme.query("70b3d57ed0000001.deveui.fed.test", "A", doh).answer
    assert acme.metrics()['fedroam_audit_ready{federation="fed.test"}'] == 0
    acme.cli("cert", "revoke", doh.serial)  # what takes rights away is done all the same
    assert acme.query_raw("70b3d57ed0000001.deveui.fed.test", "A", doh)[0] == 403
    mend_trail(acme)
    assert enrol_status(acme, secret) == 200
    assert acme.metrics()['fedroam_audit_ready{federation="fed.test"}'] == 1
    gap, = [l for l in lines(acme) if l["op"] == "audit.gap"]
    assert gap["result"]["lost"] >= 1
    assert "the chain holds" in verify(acme)


def enrol_status(fed, token):
    """The status of simpleenroll with a new key."""
    import base64
    _, facts, secret = token.split(".")
    ident = json.loads(base64.urlsafe_b64decode(facts + "=="))["id"]
    key, csr = fed.folder / "new.key", fed.folder / "new.b64"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key],
                   check=True, capture_output=True)
    der = subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/", "-outform", "DER"], check=True,
                         capture_output=True).stdout
    csr.write_bytes(base64.b64encode(der))
    return fed.curl("--http1.1", "-H", "Content-Type: application/pkcs10", "-u", f"{ident}:{secret}", "--data-binary",
                    f"@{csr}", host=f"ca.{fed.name}", path="/.well-known/est/ns/simpleenroll")[0]


def test_a_full_disk_gives_503_and_no_certificate(acme):
    """The trail alone is on a full disk: 64 KiB of tmpfs that the broker's mount namespace has in its place."""
    (acme.state / "audit.jsonl").touch()
    acme.write_config()
    small = acme.folder / "small"
    small.mkdir()
    script = (f"mount -t tmpfs -o size=64k none {small} && cp {acme.state}/audit.jsonl {small}/a && "
              f"mount --bind {small}/a {acme.state}/audit.jsonl && "
              f"dd if=/dev/zero of={small}/full bs=1k >/dev/null 2>&1; exec {BIN}/fedroam-broker --config {acme.config}")
    log = open(acme.folder / "broker.log", "ab")
    broker = subprocess.Popen(["unshare", "-rm", "sh", "-c", script], stdout=log, stderr=log, env=ENV)
    try:
        wait_until(lambda: acme.curl_plain("/readyz").stdout.endswith("200"), 20, "the broker to be ready")
        issued = 0  # what is left of the file's last page has room for a few lines
        while True:
            done = acme.cli("cert", "issue", "--profile", "doh", "--member", "acme", "--generate", "--out",
                            acme.folder / f"n{issued}", code=None)
            if done.returncode:
                break
            issued += 1
            assert issued < 10
        assert done.returncode == 69 and "No space left on device" in done.stderr
        certs = [c for c in acme.json("cert", "list") if c["profile"] == "doh"]
        assert len([c for c in certs if c["status"] == "issued"]) <= issued + 1 and len(certs) == issued + 1
        assert not (acme.folder / f"n{issued}" / "doh-acme.chain.pem").exists()
    finally:
        broker.terminate()
        broker.wait(20)
        log.close()
    acme.cli("member", "set", "acme", "--org", "two")
    assert "the chain holds" in verify(acme)


def test_the_second_copy(tmp_path):
    fed = Federation(tmp_path).init()
    also = tmp_path / "elsewhere" / "audit.jsonl"
    also.parent.mkdir()
    fed.write_config()
    text = fed.config.read_text()
    fed.config.write_text(text.replace(f"    state: {fed.state}\n", f"    state: {fed.state}\n    audit: {{also: {also}}}\n"))
    fed.start_broker()
    try:
        fed.member("acme", "000013")
        assert also.read_text() == (fed.state / "audit.jsonl").read_text()
        also.parent.rename(tmp_path / "away")
        fed.member("umbra", "000014")  # its loss stops nothing
        assert fed.metrics()['fedroam_audit_failures_total{federation="fed.test",file="copy"}'] >= 1
        (tmp_path / "away").rename(also.parent)
        fed.cli("member", "set", "acme", "--org", "one")
        assert also.read_text() == (fed.state / "audit.jsonl").read_text(), "it caught up"
        assert "the chain holds" in verify(fed, also)
    finally:
        fed.stop()


def test_a_member_reads_every_certificate_of_its_own_and_of_its_networks(acme):
    acme.member("umbra", "000014")
    mine = [acme.cert("ns", member="acme", netid="000013", folder=acme.folder / f"c{i}") for i in range(5)]
    doh = acme.cert("doh", member="acme")
    acme.cert("ns", member="umbra", netid="000014")
    acme.cli("cert", "revoke", mine[0].serial, "--cause", "superseded")
    acme.start_broker()

    def get(query=""):
        status, _, body = acme.curl("--http1.1", cert=doh, path=f"/api/v1/certificates{query}")
        return status, json.loads(body)

    status, page = get()
    assert status == 200 and "after" not in page
    assert [c["serial"] for c in page["certificates"]] == sorted(c.serial for c in [*mine, doh])
    revoked, = [c for c in page["certificates"] if c["status"] == "revoked"]
    assert (revoked["serial"], revoked["cause"], revoked["netid"]) == (mine[0].serial, "superseded", "000013")
    seen, after = [], ""
    while True:
        status, page = get(f"?limit=4{after}")
        assert status == 200 and len(page["certificates"]) <= 4
        seen += [c["serial"] for c in page["certificates"]]
        if "after" not in page:
            break
        after = f"&after={page['after']}"
    assert seen == sorted(c.serial for c in [*mine, doh])
    for bad in ("?limit=0", "?limit=1001", "?after=zz", "?member=umbra"):
        assert get(bad)[0] == 400, bad
    # What was issued for its NetID to a holder before it is its business, too; the holder's machines are not.
    acme.cli("member", "remove", "acme", "--yes")
    acme.cli("member", "set", "umbra", "--netid", "000013")
    status, _, body = acme.curl("--http1.1", cert=acme.cert("doh", member="umbra"), path="/api/v1/certificates?limit=1000")
    assert status == 200 and {c.serial for c in mine} <= {c["serial"] for c in json.loads(body)["certificates"]}
    assert not any("host" in c for c in json.loads(body)["certificates"] if c["member"] == "acme")
