"""What a restore must not take back: numbers that were given out; and whose its files are."""
import json
import os
import pwd

from fed import wait_until
from replicas import Replica, answers, eui, pair, wait_same  # noqa: F401 (pair is a fixture)
from secondaries import EUIS, Bind, Broker
from test_backup import acme, create, with_secret  # noqa: F401 (acme is a fixture)


def test_numbers_go_on_above_what_was_given_out(tmp_path):
    """Secondaries and members follow by numbers: none of them misses what a restore brought back, or keeps what it took away."""
    fed = Broker(tmp_path)
    fed.devices("000013", EUIS[:10])
    ns = fed.cert("ns", member="acme", netid="000013")
    fed.cli("cert", "set", ns.serial, "--right", "lookup", "--right", "publish", "--right", "roam")
    fed.start_broker()
    bind = Bind(tmp_path / "bind", fed)
    fed.add_secondary(bind)
    path, _ = create(fed)
    fed.cli("device", "add", "--netid", "000013", *EUIS[10:20])  # one by one, so that the backup's numbers are used twice
    fed.cli("device", "remove", EUIS[0])
    fed.wait_agree(bind)
    since = fed.json("store", "info")["sequence"]
    changes = lambda seq: fed.curl(cert=ns, path=f"/api/v1/changes?since={seq}")
    assert changes(since)[0] == 200
    fed.broker.stop()
    fed.state.rename(tmp_path / "lost")
    with_secret(fed, "restore", path, "--audit", tmp_path / "lost" / "audit.jsonl")
    fed.cli("device", "add", "--netid", "000013", EUIS[30])
    fed.start_broker()
    now = fed.json("store", "info")["sequence"]
    assert now > since + 900_000
    fed.wait_agree(bind)  # serial and every record: the ten are gone, the one is back
    for number in (since, since - 3, 1):
        status, _, body = changes(number)
        told = json.loads(body)
        assert status == 410 or any(change["what"] == "image" for change in told["changes"]), (number, status, told)
    assert changes(since)[0] == 410
    # what was before is still in the journal, and a rollback does not reach over the restore
    tail = [line.split()[0] for line in fed.cli("journal", "tail", "-n", "5").stdout.splitlines() if line[:1].isdigit()]
    assert int(tail[-1]) == now and 1 < int(tail[0]) < since
    assert fed.cli("zone", "rollback", "--to", since, "--yes", "--reason", "x", code=None).returncode != 0
    fed.stop()


def test_replicas_follow_the_restored_primary(pair):
    """One whose certificate is younger than the backup, and one whose store knows more than it."""
    primary, replica = pair
    path, _ = create(primary)
    third = Replica(primary, "b3").follow()
    primary.cli("device", "add", "--netid", "00002b", eui(7000))
    wait_same(primary, replica)
    primary.stop()
    primary.state.rename(primary.folder / "lost")
    told = json.loads(with_secret(primary, "-o", "json", "restore", path, "--audit", primary.folder / "lost" / "audit.jsonl").stdout)
    assert told["adopted"] == 1
    primary.start_broker()
    third.start_broker()
    for fed in (third, replica):
        wait_same(primary, fed)
        wait_until(lambda fed=fed: answers(fed, 7000, primary.doh) == 3, 30, "answers as of the backup")
    third.stop()


def test_what_root_restores_belongs_to_the_service_user(acme):
    path, _ = create(acme)
    named = acme.folder / "named"
    with_secret(acme, "restore", path, "--forget-revocations", "--user", "nobody-there", state=named, code=7)
    if os.geteuid() != 0:
        with_secret(acme, "restore", path, "--forget-revocations", "--user", "nobody", state=named, code=77)
        return
    own = acme.folder / "own"
    own.mkdir()
    os.chown(own, 12345, 12345)
    with_secret(acme, "restore", path, "--forget-revocations", state=own)
    with_secret(acme, "restore", path, "--forget-revocations", "--user", "nobody", state=named)
    for folder, uid in ((own, 12345), (named, pwd.getpwnam("nobody").pw_uid)):
        found = [folder, *folder.rglob("*")]
        assert len(found) > 8 and {p.lstat().st_uid for p in found} == {uid}
