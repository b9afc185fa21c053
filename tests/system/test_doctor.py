"""What doctor says: each thing is broken on purpose, named with a command, and mended by it where that is cheap."""
import json
import os
import subprocess

from fed import BIN, ENV, wait_until

SECRET = "correct horse battery staple"


def doctor(fed, *args):
    """(exit code, {check: [row]})."""
    done = fed.cli("-o", "json", "doctor", *args, code=None)
    rows = {}
    for row in json.loads(done.stdout):
        rows.setdefault(row["check"], []).append(row)
    return done.returncode, rows


def shell(command):
    subprocess.run(command, shell=True, check=True)


def healthy(fed):
    """As an operator leaves it: the root's key away, a backup, a list, a broker."""
    (fed.state / "root.key").rename(fed.folder / "root.key")
    fed.start_broker()
    read, write = os.pipe()
    os.write(write, SECRET.encode())
    os.close(write)
    subprocess.run([str(BIN / "fedroam"), "--state", str(fed.state), "backup", "create", "--out", str(fed.folder / "b.frb"),
                    "--backup-passphrase-fd", str(read)], env=ENV, pass_fds=[read], check=True, capture_output=True)
    os.close(read)
    fed.cli("ca", "crl", "publish")


def test_a_healthy_federation_and_each_fault(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.cert("doh", member="acme")
    healthy(fed)
    code, rows = doctor(fed, "--deep")
    rows.pop("disk", None)  # of the machine that tests
    assert rows == {} and code in (0, 2, 3), rows

    # owners and modes: the command that is told mends it
    key = next((fed.state / "ca").glob("*.key"))
    key.chmod(0o644)
    row, = doctor(fed)[1]["mode"]
    assert row["level"] == "critical" and str(key) in row["what"]
    shell(row["mend"])
    assert "mode" not in doctor(fed)[1] and key.stat().st_mode & 0o777 == 0o600
    if os.geteuid() == 0:
        os.chown(key, 12345, -1)
        row, = doctor(fed)[1]["owner"]
        shell(row["mend"])
        assert "owner" not in doctor(fed)[1]

    # the root's key
    (fed.state / "root.key").write_bytes((fed.folder / "root.key").read_bytes())
    (fed.state / "root.key").chmod(0o600)
    row, = doctor(fed)[1]["root-key"]
    media = fed.folder / "usb"
    media.mkdir()
    shell(row["mend"].replace("/media/usb/", f"{media}/"))
    assert "root-key" not in doctor(fed)[1] and (media / "root.key").exists()

    # a list that is away
    for path in (fed.state / "crl").glob("*.crl"):
        if path.name != "root.crl":
            path.unlink()
    row, = doctor(fed)[1]["list"]
    assert row["level"] == "critical" and row["mend"] == "fedroam ca crl publish"
    fed.cli(*row["mend"].split()[1:])
    assert "list" not in doctor(fed)[1]

    # backups
    (fed.state / "backup.last").write_text("2020-01-01T00:00:00Z\n")
    row, = doctor(fed)[1]["backup"]
    assert "days ago" in row["what"] and "backup create" in row["mend"]
    (fed.state / "backup.last").unlink()
    assert "ever" in doctor(fed)[1]["backup"][0]["what"]

    # changes that the primary lacks
    (fed.state / "diverged-2.ndjson").write_text("{}\n")
    (fed.state / "diverged-2.ndjson").chmod(0o600)
    assert doctor(fed)[1]["diverged"][0]["level"] == "critical"
    (fed.state / "diverged-2.ndjson").unlink()

    # the trail: edited is seen by looking deep, a folder in its place at once
    trail = fed.state / "audit.jsonl"
    whole = trail.read_text()
    trail.write_text(whole.replace("acme", "amce", 1))
    assert "audit" not in doctor(fed)[1]
    assert "line" in doctor(fed, "--deep")[1]["audit"][0]["what"]
    trail.write_text(whole)

    # the broker's certificate, and no broker
    chain = (fed.state / "server.chain.pem").read_bytes()
    (fed.state / "server.chain.pem").write_text("no certificate\n")
    row, = doctor(fed)[1]["server"]
    assert row["mend"] == "fedroam ca server renew"
    (fed.state / "server.chain.pem").write_bytes(chain)
    fed.stop()
    code, rows = doctor(fed)
    assert code == 3 and rows["broker"][0]["mend"] == "systemctl start fedroam-broker"
    trail.rename(fed.folder / "kept.jsonl")
    trail.mkdir(mode=0o700)
    assert "cannot be written" in doctor(fed)[1]["audit"][0]["what"]


def test_for_people_and_for_a_monitor(fed):
    done = fed.cli("doctor", code=3)
    assert "CRITICAL broker" in done.stdout and "→ systemctl start fedroam-broker" in done.stdout
    done = fed.cli("doctor", "-o", "nagios", code=2)
    text, _, figures = done.stdout.partition("|")
    assert text.startswith("FEDROAM CRITICAL - ") and "\n" not in text
    found = dict(word.split("=") for word in figures.split())
    assert int(found["critical"]) >= 1 and int(found["root_left"].rstrip("s")) > 10 ** 8 and found["disk_free"].endswith("%")
    healthy(fed)
    done = fed.cli("doctor", "-o", "nagios", code=None)
    assert done.returncode == (0 if "disk of" not in done.stdout else done.returncode)
    fed.state = fed.folder / "nothing"
    assert fed.cli("doctor", "-o", "nagios", code=3).stdout.startswith("FEDROAM UNKNOWN - ")
    fed.cli("doctor", "-o", "yaml", code=64)


def test_unknown_certificates_are_an_alarm(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    cert = fed.cert("doh", member="acme")
    healthy(fed)
    fed.stop()
    # As if somebody else had made it: its row is not in the older store.
    subprocess.run(["cp", "-r", fed.state, fed.folder / "later"], check=True)
    stolen = fed.cert("doh", member="acme", folder=fed.folder / "stolen")
    for name in ("data.mdb", "lock.mdb"):
        (fed.state / name).write_bytes((fed.folder / "later" / name).read_bytes())
    fed.start_broker()
    assert fed.query_raw("70b3d57ed0000001.deveui.fed.test", "A", cert)[0] == 200
    status, _, body = fed.query_raw("70b3d57ed0000001.deveui.fed.test", "A", stolen)
    assert status == 403 and b"has not issued" in body
    wait_until(lambda: "unknown" in doctor(fed)[1], what="the alarm")
    row, = doctor(fed)[1]["unknown"]
    assert row["level"] == "critical" and "cert list --unknown" in row["mend"]
    shown, = fed.json("cert", "list", "--unknown")
    assert shown["serial"] == stolen.serial and not shown["after_backup"]
