"""The manners of every command of fedroam: trial runs change nothing, exit codes and refusals are the same everywhere."""
import os
import pathlib
import re
import select
import shlex
import signal
import subprocess
import time

import pytest

from fed import BIN, ENV, Federation

DEVICE = "70b3d57ed0000001"


@pytest.fixture(scope="module")
def fed(tmp_path_factory):
    f = Federation(tmp_path_factory.mktemp("commands")).init()
    f.member("acme", "000013", "192.0.2.10:8005")
    f.cli("member", "add", "umbra", "--netid", "00002a", "--netid", "00002b", "--endpoint", "192.0.2.11:8005")
    f.devices("000013", [DEVICE, "70b3d57ed0000002"])
    f.cli("joineui", "add", "70b3d57ed0000000", "--member", "acme", "--server", "https://192.0.2.11:8005")
    (f.folder / "here").mkdir()
    (f.folder / "here" / "devices.csv").write_text("70b3d57ed0000003\n")
    (f.folder / "here" / "token").write_text(f.cli("token", "create", "--member", "acme", "--profile", "doh").stdout)
    return f


@pytest.fixture(scope="module")
def helps(fed):
    """{path: --help} of every command."""
    folder = fed.folder / "bash"
    folder.mkdir()
    subprocess.run([str(BIN / "fedroam"), "--generate", "bash", str(folder)], env=ENV, check=True)
    paths = re.findall(r"^ +'([^']+)'\) follow='' ", (folder / "fedroam").read_text(), re.M)
    return {path: fed.run(*path.split(), "--help").stdout for path in paths}


def kept(fed):
    """All that a command could change: the state's sequence, and every file but locks, the trail and the map."""
    files = {path: path.read_bytes() for path in fed.folder.rglob("*") if path.is_file()
             and path.name not in ("lock.mdb", "data.mdb", "audit.jsonl", "audit.head")}
    return fed.json("store", "info")["sequence"], files


# What these need is not in this federation: they are refused before there is anything to change. Elsewhere their trial runs are tested.
NOT_HERE = {"ca init", "ca intermediate install", "ca intermediate activate", "ca intermediate retire", "ca root sign", "ca root crl",
            "ca crl install", "member add", "cert issue", "cert revoke", "cert set", "token revoke", "token approve", "grace close",
            "device claim", "member block remove", "member erase", "zone primary set", "zone primary refresh", "zone primary remove",
            "zone accept", "promote", "join", "renew", "leave", "replica diverged apply", "replica diverged drop"}


def test_a_trial_run_changes_nothing(fed, helps):
    """The example of every command that changes something, with --dry-run."""
    before, ran = kept(fed), set()
    for path, told in helps.items():
        if "--dry-run" not in told:
            continue
        words = shlex.split(re.split(r" [<>|] ?", told.rsplit("example:\n", 1)[1].strip().splitlines()[0])[0])
        given = [w for w in words if w != "fedroam"]
        given += [option for option in ("--dry-run",) if option not in given]
        given += ["--reason", "a trial"] if "--reason" not in given else []
        done = subprocess.run([str(BIN / "fedroam"), "--state", str(fed.state), *given], env=ENV, text=True, capture_output=True,
                              cwd=fed.folder / "here", stdin=subprocess.DEVNULL, timeout=60, check=False)
        assert done.returncode in (0, 4, 5, 7, 9, 10, 64, 65, 78), f"{path}: {done.returncode} {done.stderr}"
        if done.returncode == 0:
            ran.add(path)
        assert kept(fed) == before, path
    assert len(ran) >= 25, ran
    known = ran | NOT_HERE
    missing = {path for path in helps if "--dry-run" in helps[path]} - known
    assert not {path for path in missing if path.split()[0] in ("member", "network", "device", "visibility", "policy", "token")}, missing


# Commands that change something and have no --dry-run, and why.
NO_TRIAL = {
    "store upgrade": "the same content in another form; a copy of the old file is kept",
    "store compact": "the same content in another file",
    "replica init": "makes a directory that is not there yet, and touches none that is",
    "device batch": "each line stands for itself, as long as they come: the outcome of one depends on those before it",
}
# Verbs of commands that change nothing in a federation or on a member's machine.
READS = {"list", "show", "info", "check", "export", "status", "verify", "tail", "test", "watch", "probe", "resolve", "why", "bench", "doctor", "version",
         "stats", "releases", "conflicts", "digest", "top", "zone public", "backup create"}


def test_every_change_can_be_tried_out_and_has_a_reason(helps):
    """Walks the table of commands: what changes something takes --dry-run and --reason, what reads takes neither."""
    changing = {path for path, told in helps.items() if "--reason" in told}
    assert {path for path in changing if "--dry-run" not in helps[path]} == NO_TRIAL.keys()
    assert len(changing) > 50
    reading = helps.keys() - changing
    assert not {path for path in reading if "--dry-run" in helps[path]}
    odd = {path for path in reading if not {path, path.split()[-1], path.split()[0]} & READS}
    assert not odd, f"{odd}: do they really change nothing?"
    for path in NO_TRIAL:
        if not path.startswith("device"):
            assert "knows no --dry-run" in subprocess.run([str(BIN / "fedroam"), *path.split(), "--dry-run"], env=ENV, text=True,
                                                          capture_output=True, check=False).stderr, path


def test_a_trial_run_where_there_is_none_is_refused(fed):
    assert "knows no --dry-run" in fed.cli("store", "upgrade", "--dry-run", code=64).stderr
    assert "for commands that change something" in fed.cli("member", "list", "--dry-run", code=64).stderr


def test_what_is_not_there_is_7_whoever_misses_it(fed, tmp_path):
    none = tmp_path / "none"
    for program in ("fedroam-broker", "fedroam-agent", "fedroam-ns"):
        done = subprocess.run([str(BIN / program), "--config", str(none), "--check"], env=ENV, text=True, capture_output=True, check=False)
        assert (done.returncode, str(none) in done.stderr) == (7, True), f"{program}: {done.stderr}"
    for line in (["resolve", "--config", none, DEVICE], ["why", "--config", none, DEVICE], ["test", "doh", "--config", none],
                 ["zone", "import", "--netid", "000013", none], ["ca", "crl", "install", none], ["audit", "verify", none],
                 ["cert", "issue", "--profile", "doh", "--member", "acme", "--csr", none, "--out", tmp_path],
                 ["cert", "revoke", "--key", none, "--yes"], ["member", "show", "nobody"], ["network", "show", "0000aa"],
                 ["device", "show", "70b3d57edfffffff"], ["renew", "--all", "--dir", none], ["wallet", "show", "fed.none", "--dir", none]):
        assert fed.cli(*line, code=7).stderr.startswith("fedroam: "), line


def test_text_is_utf8_and_shows_what_it_is(fed):
    for raw, word in ((b"caf\xe9", "UTF-8"), (b"a\x01b", "control"), ("a\u202eb".encode(), "control"), ("a\u2066b".encode(), "control")):
        done = subprocess.run([str(BIN / "fedroam"), "--state", str(fed.state), "member", "add", "cafe", "--org", raw], env=ENV,
                              capture_output=True, check=False)
        assert done.returncode in (64, 65) and word in done.stderr.decode(errors="replace"), (raw, done.stderr)
    done = subprocess.run([str(BIN / "fedroam"), "--state", str(fed.state), "member", "suspend", "acme", "--reason", b"caf\xe9"], env=ENV,
                          capture_output=True, check=False)
    assert done.returncode == 64 and b"--reason is not UTF-8" in done.stderr
    fed.cli("member", "show", "cafe", code=7)
    assert fed.json("member", "show", "acme")["state"] == "active"
    fed.cli("member", "add", "cafe", "--org", "Café, “Süd” …")
    assert fed.json("member", "show", "cafe")["org"] == "Café, “Süd” …"
    odd = os.fsencode(fed.folder) + b"/caf\xe9.csv"
    pathlib.Path(os.fsdecode(odd)).write_text("70b3d57ed0000009\n")
    subprocess.run([str(BIN / "fedroam"), "--state", str(fed.state), "zone", "import", "--netid", "000013", odd], env=ENV, check=True,
                   capture_output=True)


def typed(fed, line, answer):
    """The command on a terminal: what it says, and its exit code."""
    pid, master = os.forkpty()
    if pid == 0:
        os.execve(BIN / "fedroam", ["fedroam", "--state", str(fed.state), *line], ENV)
    said, is_answered, end = b"", False, time.monotonic() + 30
    try:
        while time.monotonic() < end:
            if not select.select([master], [], [], 0.1)[0]:
                continue
            try:
                said += os.read(master, 4096)
            except OSError:  # the terminal is closed: it ended
                break
            if b"type " in said.lower() and not is_answered:
                os.write(master, answer.encode() + b"\n")
                is_answered = True
        else:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(master)
    return said.decode(), os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("line, name", [
    (["member", "remove", "umbra"], "umbra"),
    (["cert", "revoke", "--member", "umbra"], "umbra"),
    (["cert", "revoke", "--netid", "00002b"], "00002b"),
])
def test_what_cannot_be_undone_asks_for_the_name(fed, line, name):
    said, code = typed(fed, line, "yes")
    assert f"type {name}" in said.lower() and code == 1
    assert fed.json("member", "show", "umbra")["state"] == "active"
    assert "--yes" in fed.cli(*line, code=64, stdin="").stderr
