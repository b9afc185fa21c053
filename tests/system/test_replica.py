"""A second broker: it follows the first one row by row, answers in its place, and does what a replica does and no more."""
import os
import random
import ssl
import time

import dns.message
import httpx

from fed import Cert, wait_until
from replicas import LONG, answers, control, eui, pair, status, wait_same  # noqa: F401 (pair is a fixture)


def test_a_replica_is_the_same_and_answers(pair):
    primary, replica = pair
    wait_same(primary, replica)
    assert status(replica)["role"] == "replica" and primary.origin in status(replica)["primary"]
    assert answers(replica, 5, primary.doh) == 0
    # a change of each kind
    primary.cli("device", "add", "--netid", "00002b", eui(1000))
    primary.cli("policy", "set", "ttl.deveui", "2h")
    primary.cli("visibility", "allow", "--home", "acme", "--visited", "umbra")
    primary.cli("token", "create", "--member", "umbra", "--profile", "doh")
    primary.cli("joineui", "add", "70b3d57ed0000000/40", "--member", "acme", "--server", "https://127.0.0.1:8007")
    wait_until(lambda: answers(replica, 1000, primary.doh) == 0, what="the new device at the replica")
    # revocation reaches an open door there, too
    other = primary.cert("doh", member="umbra")
    wait_until(lambda: answers(replica, 5, other) == 0, what="the new certificate at the replica")
    primary.cli("cert", "revoke", other.serial, "--yes")
    wait_until(lambda: answers(replica, 5, other) == 403, what="the revocation at the replica")
    wait_same(primary, replica)
    seen = primary.metrics()
    assert seen['fedroam_replica_role{federation="fed.test",role="primary"}'] == 1
    assert seen['fedroam_replica_follower_position{federation="fed.test",host="b2"}'] > 0
    assert replica.metrics()['fedroam_replica_connected{federation="fed.test"}'] == 1


def test_how_soon_a_change_is_there(pair, record_property):
    """From the acknowledgement to the answer of the replica that has it; the claim is a second for 99 of 100, and this is no
    quiet machine: the median must hold it."""
    primary, replica = pair
    wait_same(primary, replica)
    context = ssl.create_default_context(cafile=primary.root)
    context.load_cert_chain(primary.doh.chain, primary.doh.key)
    context.check_hostname = False
    took = []
    with httpx.Client(http2=True, verify=context) as client:
        url = f"https://127.0.0.1:{replica.port}/dns-query"
        def rcode(number):
            wire = dns.message.make_query(f"{eui(number)}.deveui.{replica.name}", "A", id=0).to_wire()
            reply = client.post(url, content=wire, headers={"content-type": "application/dns-message"})
            assert reply.status_code == 200
            return dns.message.from_wire(reply.content).rcode()
        for n in range(200 if LONG else 30):
            control(primary, "device.add", {"netid": "00002b", "devices": [eui(5000 + n)]})
            start = time.monotonic()
            wait_until(lambda: rcode(5000 + n) == 0, what="the device at the replica")
            took.append(time.monotonic() - start)
    took.sort()
    record_property("seconds", took)
    print(f"median {took[len(took) // 2] * 1000:.0f} ms, 99th {took[len(took) * 99 // 100] * 1000:.0f} ms")
    assert took[len(took) // 2] < 1


def test_what_a_replica_does_not_do(pair):
    primary, replica = pair
    wait_same(primary, replica)
    done = replica.cli("device", "add", "--netid", "000013", eui(500), code=None)
    assert done.returncode != 0 and "replica" in done.stderr and primary.origin in done.stderr
    code, head, _ = replica.curl("-X", "POST", host=f"ca.{replica.name}", path="/.well-known/est/simpleenroll")
    assert code == 503 and int(head["retry-after"]) > 0
    assert not list((replica.state / "ca").glob("*.key")) if (replica.state / "ca").exists() else True
    # members who would publish are sent on; reading is fine
    ns = primary.cert("ns", member="acme", netid="000013")
    primary.cli("cert", "set", ns.serial, "--right", "lookup", "--right", "publish", "--right", "roam")
    wait_same(primary, replica)
    code, head, _ = replica.curl("-X", "PUT", "-H", "content-type: application/json", "-d", '{"netid":"000013"}', cert=ns,
                                 path=f"/api/v1/devices/{eui(500)}")
    assert code == 503 and head["retry-after"]
    assert replica.curl(cert=ns, path=f"/api/v1/devices/{eui(5)}")[0] == 200
    # who has no right gets nothing of the feed
    code, _, body = primary.curl(cert=primary.doh, path="/api/v1/feed?have=0.0&term=0")
    assert code == 403 and b"FRF1" not in body
    # nor does who asks nonsense
    b2 = Cert(primary.folder / "certs", "broker", "b2")
    assert primary.curl(cert=b2, path="/api/v1/feed?have=x")[0] == 400
    assert replica.curl(cert=b2, path="/api/v1/feed?have=0.0&term=0")[0] == 503
    # without a broker, too
    replica.stop()
    done = replica.cli("member", "add", "late", code=None)
    assert done.returncode != 0 and "replica" in done.stderr


def test_revocation_lists_are_given_by_a_replica_too(pair):
    primary, replica = pair
    wait_same(primary, replica)
    name = next(row["name"] for row in primary.json("ca", "list") if row["name"] != "root")

    def crl(fed):
        code, _, body = fed.curl(host=f"ca.{fed.name}", path=f"/crl/{name}.crl")
        return body if code == 200 else None
    other = primary.cert("doh", member="umbra")
    before = crl(primary)
    primary.cli("cert", "revoke", other.serial, "--yes")
    wait_until(lambda: crl(primary) not in (None, before), what="the list with the revocation")
    wait_until(lambda: crl(replica) == crl(primary), what="the same list at the replica")
    # what the CA did not sign is not taken
    mine, theirs = (fed.state / "crl" / f"{name}.crl" for fed in (replica, primary))
    assert mine.stat().st_mode & 0o777 == 0o600
    kept = mine.read_bytes()
    theirs.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    wait_until(lambda: "replica.list_refused" in replica.broker.text(), what="the refusal in the log")
    assert crl(replica) == kept != crl(primary)
    # the last one stays when the primary is lost
    primary.stop()
    assert crl(replica) == kept
    replica.cli("promote", "--reason", "the first one died")
    assert crl(replica) == kept
    assert [row["state"] for row in replica.json("ca", "crl", "show") if row["name"] == name] == ["fresh"]


def test_imports_arrive_while_it_follows(pair, tmp_path):
    primary, replica = pair
    wait_same(primary, replica)
    for base, count in ((10_000, 30_000), (100_000, 12_000)):
        primary.devices("00002b", [eui(base + n) for n in range(count)])
        primary.cli("device", "remove", eui(base + 1))
    half = tmp_path / "half.txt"
    half.write_text("".join(f"{eui(10_000 + n)}\n" for n in range(15_000)))
    primary.cli("zone", "import", "--netid", "00002b", "--replace", half, "--yes")
    wait_same(primary, replica)
    assert answers(replica, 10_007, primary.doh) == 0 and answers(replica, 100_007, primary.doh) == 3


def test_killed_at_any_moment_both_agree(pair):
    primary, replica = pair
    rng = random.Random(int(os.environ.get("FR_SEED", "7")))
    made = 100
    for _ in range(300 if LONG else 3):
        victim = rng.choice((primary, replica))
        primary.devices("000013", [eui(made + n) for n in range(rng.choice((1, 50, 1000)))])
        made += 1000
        time.sleep(rng.random() * 0.1)  # not a wait for anything: where the kill falls
        victim.broker.kill()
        victim.start_broker()
        primary.cli("device", "add", "--netid", "00002b", eui(made))
        made += 1
        wait_same(primary, replica)
