"""The HTTPS API with foreign clients: curl and httpx, members with and without rights, every status."""
import concurrent.futures
import contextlib
import hashlib
import json
import os
import random
import re
import socket
import ssl
import subprocess
import time

import pytest

from api import SEEN, SPEC, Client, is_problem
from fed import SOURCE, Federation, wait_until
from lmdb_rows import remove, spoil
from nameservers import EUIS, ZONE, Bind, cname, secret_of, tsig_key

ACMES, UMBRAS, FREE, OTHER = (f"70b3d57ed000000{i}" for i in "1239")


def rights(fed, cert, *words):
    more = [x for word in words for x in ("--right", word)]
    fed.cli("cert", "set", cert.serial, *more)


@pytest.fixture(scope="module")
def fed(tmp_path_factory):
    """Members acme (000013, one device) and umbra (000014, one), certificates that may publish, and one that may not."""
    fed = Federation(tmp_path_factory.mktemp("fed"))
    fed.init()
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.member("umbra", "000014", "127.0.0.2:8005")
    fed.devices("000013", [ACMES])
    fed.devices("000014", [UMBRAS])
    fed.acme, fed.umbra = (fed.cert("doh", member=name) for name in ("acme", "umbra"))
    fed.reader = fed.cert("doh", member="acme", folder=fed.folder / "reader")
    for cert in (fed.acme, fed.umbra):
        rights(fed, cert, "lookup", "publish")
    fed.start_broker(more="limits: {api_requests: 8}\n")
    with names_lead_here(fed.host):
        yield fed
    fed.stop()


@contextlib.contextmanager
def names_lead_here(*hosts):
    """httpx looks names up by getaddrinfo; these are on the loopback."""
    real = socket.getaddrinfo
    socket.getaddrinfo = lambda host, *rest, **more: real("127.0.0.1" if host in hosts else host, *rest, **more)
    yield
    socket.getaddrinfo = real


@pytest.fixture(params=["HTTP/2", "HTTP/1.1"])
def acme(fed, request):
    client = Client(fed, fed.acme, request.param == "HTTP/2")
    yield client
    client.http.close()


@pytest.fixture
def umbra(fed):
    client = Client(fed, fed.umbra)
    yield client
    client.http.close()


def test_a_device_comes_and_goes(fed, acme):
    assert acme("PUT", f"/devices/{FREE}", json={"netid": "000013"}).status_code == 201
    again = acme("PUT", f"/devices/{FREE}", json={"netid": "000013"})
    assert again.status_code == 200 and again.json()["same"] == 1
    one = acme("GET", f"/devices/{FREE.upper()}")
    assert one.json() == {"deveui": FREE, "netid": "000013", "hidden": False}
    head = acme("HEAD", f"/devices/{FREE}")
    assert head.status_code == 200 and head.content == b"" and head.headers["content-length"] == str(len(one.content))
    assert fed.json("device", "list", "--netid", "000013")
    gone = acme("DELETE", f"/devices/{FREE}")
    assert gone.status_code == 204 and gone.content == b""
    is_problem(acme("DELETE", f"/devices/{FREE}"), 404)


def test_what_is_anothers_is_told_as_if_it_were_nobodys(acme):
    """All but a claim, which must be refused with its reason."""
    foreign, absent = acme("GET", f"/devices/{UMBRAS}"), acme("GET", f"/devices/{OTHER}")
    is_problem(foreign, 404)
    assert foreign.text.replace(UMBRAS, OTHER) == absent.text
    foreign, absent = acme("DELETE", f"/devices/{UMBRAS}"), acme("DELETE", f"/devices/{OTHER}")
    is_problem(foreign, 404)
    assert foreign.text.replace(UMBRAS, OTHER) == absent.text
    is_problem(acme("PUT", f"/devices/{UMBRAS}", json={"netid": "000013"}), 409)
    is_problem(acme("PUT", f"/devices/{OTHER}", json={"netid": "000014"}), 403)
    is_problem(acme("PUT", f"/devices/{OTHER}", json={"netid": "000015"}), 403)


def test_bad_requests(acme):
    put = lambda **more: acme("PUT", f"/devices/{FREE}", **more)
    is_problem(acme("GET", "/devices/123"), 400)
    is_problem(put(json={"netid": "13"}), 400)
    is_problem(put(json={}), 400)
    is_problem(put(json={"netid": "000013", "color": "red"}), 400)
    is_problem(put(json={"netid": "000013", "devices": [OTHER]}), 400)
    is_problem(put(json=["000013"]), 400)
    is_problem(put(content=b"{", headers={"content-type": "application/json"}), 400)
    is_problem(put(content=b'{"netid":"000013"}', headers={"content-type": "text/plain"}), 415)
    is_problem(acme("GET", f"/devices/{FREE}?color=red"), 400)
    is_problem(acme("GET", "/nothing"), 404)
    wrong = acme("PATCH", f"/devices/{FREE}")
    is_problem(wrong, 405)
    assert wrong.headers["allow"] == "GET, HEAD, PUT, DELETE"
    assert put(content=b" " * 70000, headers={"content-type": "application/json"}).status_code == 413


def test_a_trial_run_changes_nothing_and_a_reason_is_kept(fed, acme):
    dry = acme("PUT", f"/devices/{FREE}?dry_run=true", json={"netid": "000013"})
    assert dry.status_code == 200 and dry.json()["added"] == 1
    is_problem(acme("GET", f"/devices/{FREE}"), 404)
    assert acme("PUT", f"/devices/{FREE}?reason=new%20meter", json={"netid": "000013"}).status_code == 201
    assert acme("DELETE", f"/devices/{FREE}").status_code == 204
    audit = [json.loads(line) for line in (fed.state / "audit.jsonl").read_text().splitlines()]
    mine = [line for line in audit if line.get("reason") == "new meter"]
    assert mine and mine[-1]["actor"] == f"cert:{fed.acme.serial}"


def test_a_certificate_without_the_right_may_not(fed):
    client = Client(fed, fed.reader)
    is_problem(client("PUT", f"/devices/{FREE}", json={"netid": "000013"}), 403)
    client.http.close()


def test_curl_gets_the_same(fed):
    done = subprocess.run(
        ["curl", "-sS", "--cacert", fed.acme.root, "--cert", fed.acme.chain, "--key", fed.acme.key,
         "--resolve", f"{fed.host}:{fed.port}:127.0.0.1", "-w", "\n%{http_code}", "-X", "PUT",
         "-H", "content-type: application/json", "-d", '{"netid":"000013"}',
         f"https://{fed.host}:{fed.port}/api/v1/devices/{ACMES}"], capture_output=True, text=True, check=True)
    body, status = done.stdout.rsplit("\n", 1)
    assert status == "200" and json.loads(body)["same"] == 1


# --- lists, changes, networks, grants ---

def test_devices_are_listed_page_by_page(fed, acme):
    some = euis(25, 0xb0)
    assert set(results(batch(acme, lines(*(("put", eui, "000013") for eui in some))))) <= {(201, "added"), (200, "same")}
    seen, after = [], None
    while True:
        page = acme("GET", "/devices", params={"limit": 7, **({"after": after} if after else {})}).json()
        assert len(page["devices"]) <= 7
        seen += page["devices"]
        after = page.get("next")
        if not after:
            break
    own = [row["deveui"] for row in seen]
    assert own == sorted(own) and set(some) | {ACMES} <= set(own) and UMBRAS not in own
    assert {row["netid"] for row in seen} == {"000013"}
    assert acme("GET", "/devices?netid=000013").json()["devices"] == seen
    is_problem(acme("GET", "/devices?netid=000014"), 403)
    for query in ("limit=0", "limit=10001", "after=x", "netid=x", "from=1"):
        is_problem(acme("GET", f"/devices?{query}"), 400)


def test_a_device_is_hidden_and_shown(fed, acme):
    assert acme("PUT", f"/devices/{ACMES}/hidden", json={"hidden": True}).json()["devices"] == 1
    assert acme("GET", f"/devices/{ACMES}").json()["hidden"] is True
    assert acme("PUT", f"/devices/{ACMES}/hidden", json={"hidden": False}).status_code == 200
    is_problem(acme("PUT", f"/devices/{ACMES}/hidden", json={}), 400)
    is_problem(acme("PUT", f"/devices/{UMBRAS}/hidden", json={"hidden": True}), 404)


def test_a_move_takes_two(fed, acme, umbra):
    assert acme("PUT", f"/devices/{FREE}", json={"netid": "000013"}).status_code == 201
    is_problem(umbra("POST", f"/devices/{FREE}/claim", json={"netid": "000014"}), 404)
    assert acme("PUT", f"/devices/{FREE}/release", json={"to": "umbra"}).json()["released"] == 1
    assert acme("DELETE", f"/devices/{FREE}/release").status_code == 204
    is_problem(umbra("POST", f"/devices/{FREE}/claim", json={"netid": "000014"}), 404)
    assert acme("PUT", f"/devices/{FREE}/release", json={"to": "umbra", "ttl_s": 60}).status_code == 200
    assert umbra("POST", f"/devices/{FREE}/claim", json={"netid": "000014"}).json()["moved"] == 1
    is_problem(acme("GET", f"/devices/{FREE}"), 404)
    is_problem(acme("PUT", f"/devices/{FREE}/release", json={"to": "umbra"}), 404)
    assert umbra("DELETE", f"/devices/{FREE}").status_code == 204


def test_what_did_not_change_is_not_sent_again(fed, acme):
    for path in ("/networks", "/renewal"):
        tag = acme("GET", path).headers["etag"]
        same = acme("GET", path, headers={"if-none-match": f'"x", {tag}'})
        assert same.status_code == 304 and same.content == b"" and same.headers["etag"] == tag
        assert acme("GET", path, headers={"if-none-match": '"x"'}).status_code == 200
    tag = acme("GET", "/networks").headers["etag"]
    fed.cli("member", "set", "umbra", "--org", "Umbra")
    other = acme("GET", "/networks", headers={"if-none-match": tag})
    assert other.status_code == 200 and other.headers["etag"] != tag
    fed.cli("member", "set", "umbra", "--org", "")


def test_what_renewal_has_to_know(fed, acme):
    told = acme("GET", "/renewal").json()
    issuing = fed.state / "ca"
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(next(issuing.glob("*.pem")).read_text())).hexdigest()
    assert [(ca["sha256"], ca["state"]) for ca in told["authorities"]] == [(digest, "active")]
    assert told["key_after_s"] == 120
    fed.cli("policy", "set", "ttl.netid", "10m")
    assert acme("GET", "/renewal").json()["key_after_s"] == 1200
    fed.cli("policy", "set", "ttl.netid", "60")
    is_problem(acme("GET", "/renewal?x=1"), 400)


def test_releases_are_listed_on_both_sides(fed, acme, umbra):
    some = euis(5, 0xc0)
    results(batch(acme, lines(*(("put", eui, "000013") for eui in some))))
    assert results(batch(acme, lines(*(("release", eui, "000014") for eui in some)))) == [(200, "released")] * 5
    for client in (acme, umbra):
        page = client("GET", "/releases?limit=3").json()
        assert [(row["deveui"], row["from"], row["to"]) for row in page["releases"]] == [(eui, "acme", "umbra") for eui in some[:3]]
        rest = client("GET", f"/releases?after={page['next']}").json()
        assert [row["deveui"] for row in rest["releases"]] == some[3:] and "next" not in rest
    for query in ("limit=0", "limit=10001", "after=x", "member=umbra"):
        is_problem(acme("GET", f"/releases?{query}"), 400)
    # what is not released is not claimed, whoever has it, and what is not mine is not released
    assert results(batch(umbra, lines(("claim", some[0], "000014"), ("claim", ACMES, "000014"), ("claim", OTHER, "000014"),
                                      ("release", some[1], "000013"), ("release", UMBRAS, "000014"), ("release", UMBRAS, "000015")))) == [
        (200, "moved"), (404, "unreleased"), (404, "unreleased"), (404, "absent"), (403, "denied"), (403, "denied")]
    assert [row["deveui"] for row in acme("GET", "/releases").json()["releases"]] == some[1:]
    results(batch(acme, lines(*(("delete", eui) for eui in some))))
    assert acme("GET", "/releases").json() == {"releases": []}
    umbra("DELETE", f"/devices/{some[0]}")


def test_conflicts_are_told_to_both_and_name_no_owner_to_a_stranger(fed, acme, umbra):
    device = f"70b3d57ec1{time.monotonic_ns() % 1_000_000:06d}"
    umbra("PUT", f"/devices/{device}", json={"netid": "000014"})
    for _ in range(2):
        is_problem(acme("PUT", f"/devices/{device}", json={"netid": "000013"}), 409)
    mine, = [row for row in acme("GET", "/conflicts").json()["conflicts"] if row["deveui"] == device]
    theirs, = [row for row in umbra("GET", "/conflicts").json()["conflicts"] if row["deveui"] == device]
    assert (mine["claimant"], mine["netid"], mine["count"]) == ("acme", "000013", 2) and "owner" not in mine
    assert {**mine, "owner": "umbra"} == theirs
    is_problem(acme("GET", "/conflicts?limit=1"), 400)
    umbra("DELETE", f"/devices/{device}")


def test_networks_are_told_and_moved(fed, acme):
    page = acme("GET", "/networks").json()
    rows = {row["netid"]: row for row in page["networks"]}
    assert list(rows) == ["000013", "000014"] and "next" not in page
    assert rows["000013"]["state"] == "active" and "state" not in rows["000014"] and "devices" not in rows["000014"]
    assert rows["000014"]["endpoints"] == ["127.0.0.2:8005"] and "org" not in rows["000013"]
    fed.cli("member", "set", "umbra", "--org", "Umbra \"AG\"", "--noc", "noc@umbra.example")
    told = acme("GET", "/networks?after=000013").json()["networks"][0]
    assert told["org"] == 'Umbra "AG"' and told["noc"] == "noc@umbra.example" and told["since"].startswith("20")
    first = acme("GET", "/networks?limit=1").json()
    assert [row["netid"] for row in first["networks"]] == ["000013"] and first["next"] == "000013"
    assert [row["netid"] for row in acme("GET", "/networks?after=000013").json()["networks"]] == ["000014"]
    probe = acme("POST", "/probe")
    assert probe.status_code == 200 and probe.json()["member"] == "acme"
    is_problem(acme("POST", "/probe", json={"endpoints": ["192.0.2.1:1"]}), 400)
    is_problem(acme("POST", "/probe?endpoint=192.0.2.1:1"), 400)
    done = acme("PUT", "/networks/000013", json={"endpoints": ["127.0.0.3:8005", "[::1]:8006"]})
    assert done.json()["endpoints"] == ["127.0.0.3:8005", "[::1]:8006"]
    is_problem(acme("PUT", "/networks/000014", json={"endpoints": ["127.0.0.3:8005"]}), 403)
    is_problem(acme("PUT", "/networks/00001", json={"endpoints": []}), 400)
    is_problem(acme("PUT", "/networks/000013", json={"endpoints": ["nowhere"]}), 400)
    fed.cli("member", "suspend", "umbra")
    assert [row["netid"] for row in acme("GET", "/networks").json()["networks"]] == ["000013"]
    fed.cli("member", "resume", "umbra")


def test_a_home_grants_and_takes_back(fed, acme):
    is_problem(acme("GET", "/visibility/umbra"), 404)
    assert acme("PUT", "/visibility/umbra").json()["allowed"] is True
    assert acme("GET", "/visibility/umbra").json()["home"] == "acme"
    assert [row["visited"] for row in acme("GET", "/visibility").json()["grants"]] == ["umbra"]
    assert acme("DELETE", "/visibility/umbra").status_code == 204
    assert acme("GET", "/visibility").json() == {"grants": []}
    is_problem(acme("PUT", "/visibility/nobody"), 404)
    is_problem(acme("PUT", "/visibility/acme"), 400)


def test_joineuis_inside_the_members_blocks(fed, acme, umbra):
    fed.cli("member", "block", "add", "acme", "80b3d57000000000/28")
    fed.cli("joineui", "add", "80b3d57000000100/56", "--member", "umbra")
    servers = ["https://192.0.2.11:8443,also=2001:db8::11", "http://js.acme.example,priority=1"]
    for path, text in (("80b3d57ed0000000/40", "80b3d57ed0000000/40"), ("80b3d57ed0000001", "80b3d57ed0000001")):
        assert acme("PUT", f"/joineuis/{path}", json={}).status_code == 201
        done = acme("PUT", f"/joineuis/{path}", json={"servers": servers})
        assert done.status_code == 200 and done.json()["servers"] == servers and done.json()["member"] == "acme"
        assert acme("PUT", f"/joineuis/{path}?dry_run=true", json={}).json()["changed"] is True
        one = acme("GET", f"/joineuis/{path.upper()}").json()
        assert (one.pop("since")[:2], one) == ("20", {"joineui": text, "member": "acme", "servers": servers})
        is_problem(umbra("GET", f"/joineuis/{path}"), 404)
        is_problem(umbra("DELETE", f"/joineuis/{path}"), 404)
        is_problem(umbra("PUT", f"/joineuis/{path}", json={}), 403)     # outside of its blocks, before looking
        is_problem(acme("PUT", f"/joineuis/{path}", json={"servers": ["192.0.2.11"]}), 400)
        is_problem(acme("PUT", f"/joineuis/{path}", json={"member": "acme"}), 400)
    for path in ("80b3d57000000101", "80b3d57000000000/52", "80b3d57000000100/56"):
        is_problem(acme("PUT", f"/joineuis/{path}", json={}), 409)
    assert [(c["joineui"], c["owner"], c["claimant"]) for c in fed.json("joineui", "conflicts")][1] == ("80b3d57000000100/56", "umbra", "acme")
    assert fed.json("device", "conflicts", "--member", "umbra") == [] or all("deveui" in c for c in fed.json("device", "conflicts"))
    # its own may be changed and given up, and what is inside it claimed, wherever it lies
    assert umbra("PUT", "/joineuis/80b3d57000000100/56", json={"servers": ["https://192.0.2.12"]}).status_code == 200
    assert umbra("PUT", "/joineuis/80b3d57000000101", json={}).status_code == 201
    for path in ("123", "80b3d57000000000/30", "80b3d57000000001/28", "80b3d57000000000/0", "80b3d57000000000/x"):
        for method in ("GET", "PUT", "DELETE"):
            is_problem(acme(method, f"/joineuis/{path}", **({"json": {}} if method == "PUT" else {})), 400)
    first = acme("GET", "/joineuis?limit=1").json()
    assert [row["joineui"] for row in first["joineuis"]] == ["80b3d57ed0000000/40"] and first["next"] == "80b3d57ed0000000/40"
    rest = acme("GET", f"/joineuis?after={first['next']}").json()
    assert [row["joineui"] for row in rest["joineuis"]] == ["80b3d57ed0000001"] and "next" not in rest
    is_problem(acme("GET", "/joineuis?after=x"), 400)
    for path in ("80b3d57ed0000000/40", "80b3d57ed0000001"):
        assert acme("DELETE", f"/joineuis/{path}").status_code == 204
        is_problem(acme("DELETE", f"/joineuis/{path}"), 404)
    assert umbra("DELETE", "/joineuis/80b3d57000000100/56").status_code == 204
    assert umbra("DELETE", "/joineuis/80b3d57000000101").status_code == 204
    fed.cli("member", "block", "remove", "acme", "80b3d57000000000/28")


def test_operations_are_those_of_members(fed, acme):
    ask = lambda op, args, **more: acme("POST", f"/operations/{op}", json={"args": args, **more})
    assert ask("device.add", {"netid": "000013", "devices": [FREE]}, dry_run=True).json()["added"] == 1
    assert ask("device.add", {"netid": "000013", "devices": [FREE]}, reason="by hand").json()["added"] == 1
    assert ask("device.remove", {"devices": [FREE]}).json()["removed"] == 1
    is_problem(ask("device.add", {"netid": "000014", "devices": [FREE]}), 403)
    is_problem(ask("device.remove", {"devices": [UMBRAS]}), 404)
    is_problem(ask("visibility.set", {"home": "umbra", "visited": "acme", "allowed": True}), 403)
    is_problem(ask("visibility.set", {"home": "acme", "visited": "umbra", "allowed": True, "both": True}), 403)
    is_problem(ask("member.suspend", {"id": "umbra"}), 403)
    is_problem(ask("policy.set", {"set": {"ttl.deveui": "1h"}}), 403)
    is_problem(ask("nothing.at.all", {}), 404)
    is_problem(acme("POST", "/operations/device.add", content=b"{"), 415)


def test_changes_are_told_at_once_or_when_they_come(fed, acme, umbra):
    now = acme("GET", "/changes").json()
    assert now["changes"] == []
    since = now["sequence"]
    assert umbra("PUT", f"/devices/{OTHER}", json={"netid": "000014"}).status_code == 201
    none = acme("GET", f"/changes?since={since}").json()
    assert none["changes"] == [] and none["sequence"] > since
    # One that waits, while the same member makes a change on another connection.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(acme, "GET", f"/changes?since={since}&wait=30")
        wait_until(lambda: fed.metrics()["fedroam_http_requests_in_progress"] > 0)
        second = Client(fed, fed.acme)
        assert second("PUT", f"/devices/{FREE}", json={"netid": "000013"}).status_code == 201
        told = waiting.result(30).json()
    assert [(c["what"], c["deveui"], c["netid"]) for c in told["changes"]] == [("device", FREE, "000013")]
    second("DELETE", f"/devices/{FREE}")
    gone = acme("GET", f"/changes?since={told['sequence']}&wait=30").json()
    assert [(c["what"], c["deveui"]) for c in gone["changes"]] == [("device gone", FREE)]
    assert second("GET", f"/changes?since={gone['sequence']}&wait=1").json()["changes"] == []
    is_problem(acme("GET", "/changes?since=999999999"), 400)
    is_problem(acme("GET", "/changes?wait=61"), 400)
    assert umbra("DELETE", f"/devices/{OTHER}").status_code == 204
    second.http.close()


def test_no_change_is_slept_through(fed):
    """A commit shows in the store's number a moment before readers get it: who looks in that moment looks again."""
    waiter, second = Client(fed, fed.acme), Client(fed, fed.acme)
    since = second("GET", "/changes").json()["sequence"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for n in range(400 if os.environ.get("FR_LONG") else 25):
            waiting = pool.submit(waiter, "GET", f"/changes?since={since}&wait=60")
            second("PUT" if n % 2 == 0 else "DELETE", f"/devices/{FREE}", json={"netid": "000013"} if n % 2 == 0 else None)
            start = time.monotonic()
            told = waiting.result(90).json()
            assert len(told["changes"]) == 1 and time.monotonic() - start < 30
            since = told["sequence"]
    second("DELETE", f"/devices/{FREE}")
    waiter.http.close()
    second.http.close()


def test_too_much_at_once_is_refused(fed):
    """Of one member on one worker: eight may wait, the ninth comes again later."""
    client = Client(fed, fed.acme)
    since = client("GET", "/changes").json()["sequence"]
    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        replies = list(pool.map(lambda _: client("GET", f"/changes?since={since}&wait=3"), range(9)))
    refused = [reply for reply in replies if reply.status_code != 200]
    assert len(refused) == 1
    is_problem(refused[0], 429)
    assert refused[0].headers["retry-after"] == "1"
    client.http.close()


def test_another_name_is_misdirected(fed, acme):
    is_problem(acme("GET", "/devices", headers={"host": "ca.fed.test"}), 421)


def test_a_revoked_certificate_may_not(fed):
    cert = fed.cert("doh", member="umbra", folder=fed.folder / "revoked")
    rights(fed, cert, "publish")
    client = Client(fed, cert, http2=False)
    assert client("GET", "/devices").status_code == 200
    fed.cli("cert", "revoke", cert.serial, "--yes")
    is_problem(client("GET", "/devices"), 403)
    client.http.close()


# --- batches ---

PART = 8192  # lines that are done in one transaction, at most


def lines(*rows):
    return b"".join(json.dumps(dict(zip(("op", "eui", "netid"), row))).encode() + b"\n" for row in rows)


def batch(client, body, key=None, **more):
    headers = {"content-type": "application/x-ndjson", **({"idempotency-key": key} if key else {})}
    return client("POST", "/devices:batch", content=body, headers=headers, **more)


def results(reply):
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in reply.text.splitlines()]
    assert [row["line"] for row in rows] == list(range(1, len(rows) + 1))
    return [(row["status"], row["result"]) for row in rows]


def euis(n, block):
    return [f"70b3d57e{block:02x}{i:06x}" for i in range(n)]


def count(fed, netid):
    return next(row["devices"] for row in fed.json("network", "list") if row["netid"] == netid)


def test_each_line_of_a_batch_stands_for_itself(fed, acme):
    a, b = euis(2, 0xa0)
    body = lines(("put", a, "000013"), ("put", a, "000013"), ("put", UMBRAS, "000013"), ("put", b, "000014"),
                 ("delete", a), ("delete", a), ("delete", UMBRAS), ("put", "ffffffffffffffff", "000013"))
    body += b'{"op":"steal","eui":"70b3d57ed0000001"}\n\n   \nnot json\n' + lines(("put", a.upper(), "0x000013"))[:-1]
    assert results(batch(acme, body)) == [
        (201, "added"), (200, "same"), (409, "taken"), (403, "denied"), (204, "removed"), (404, "absent"), (404, "absent"),
        (400, "reserved"), (400, "malformed"), (400, "malformed"), (201, "added")]
    assert results(batch(acme, lines(("delete", a, "000013")))) == [(204, "removed")]
    assert results(batch(acme, b"")) == results(batch(acme, b"\n\n")) == []


def test_a_batch_of_many_parts_is_told_again_and_not_done_again(fed, acme):
    many = euis(2 * PART + 100, 0xa1)
    first, second = (f"{name} {time.monotonic()}" for name in ("first", "second"))
    body = lines(*(("put", eui, "000013") for eui in many))
    before = count(fed, "000013")
    assert results(batch(acme, body, first)) == [(201, "added")] * len(many)
    assert count(fed, "000013") == before + len(many)
    sequence = fed.json("store", "info")["sequence"]
    again = batch(acme, body, first)
    assert results(again) == [(201, "added")] * len(many)
    assert fed.json("store", "info")["sequence"] == sequence
    is_problem(batch(acme, body.replace(b"a1000001", b"a1000009"), first), 422)
    is_problem(batch(acme, body + lines(("delete", many[0])), first), 422)
    is_problem(batch(acme, body[:len(body) // 2], first), 422)
    assert results(batch(acme, lines(*(("delete", eui) for eui in many)), second)) == [(204, "removed")] * len(many)
    assert count(fed, "000013") == before


def test_lines_about_one_device_are_done_in_their_order(fed, acme):
    """However they lie between others: put, delete, put, for each of many, shuffled; and told again."""
    rest = {eui: ["put", "delete", "put"] for eui in euis(5000, 0xa6)}
    order = [eui for eui in rest for _ in range(3)]
    random.Random(5).shuffle(order)
    rows = [(rest[eui].pop(0), eui, "000013") for eui in order]
    want = [(204, "removed") if op == "delete" else (201, "added") for op, _, _ in rows]
    key = f"shuffled {time.monotonic()}"
    before = count(fed, "000013")
    assert results(batch(acme, lines(*rows), key)) == want
    assert count(fed, "000013") == before + len(rest)
    sequence = fed.json("store", "info")["sequence"]
    assert results(batch(acme, lines(*rows), key)) == want
    assert fed.json("store", "info")["sequence"] == sequence
    assert set(results(batch(acme, lines(*(("delete", eui) for eui in rest))))) == {(204, "removed")}


def test_a_key_is_its_members_own(fed, acme, umbra):
    a, b = euis(2, 0xa2)
    assert results(batch(acme, lines(("put", a, "000013")), "same")) == [(201, "added")]
    assert results(batch(umbra, lines(("put", b, "000014")), "same")) == [(201, "added")]
    for client, eui in ((acme, a), (umbra, b)):
        client("DELETE", f"/devices/{eui}")


def test_requests_that_are_no_batch(fed, acme):
    put = lines(("put", FREE, "000013"))
    is_problem(acme("POST", "/devices:batch", content=put, headers={"content-type": "application/json"}), 415)
    is_problem(batch(acme, put, "k" * 129), 400)
    is_problem(batch(acme, b"{" + b" " * 5000), 413)
    is_problem(acme("PUT", "/devices:batch", content=put), 405)
    reader = Client(fed, fed.reader)
    is_problem(batch(reader, put), 403)
    reader.http.close()


def lines_done(fed):
    return fed.metrics()['fedroam_api_batch_lines_total{federation="fed.test"}']


def send_half(fed, body, key):
    """As much of a batch as the broker takes, by a client that then vanishes."""
    context = ssl.create_default_context(cafile=fed.acme.root)
    context.load_cert_chain(fed.acme.chain, fed.acme.key)
    before = lines_done(fed)
    with socket.create_connection(("127.0.0.1", fed.port)) as raw, context.wrap_socket(raw, server_hostname=fed.host) as tls:
        tls.sendall((f"POST /api/v1/devices:batch HTTP/1.1\r\nHost: {fed.host}\r\nIdempotency-Key: {key}\r\n"
                     f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n").encode())
        tls.sendall(body[:len(body) * 3 // 4])
        wait_until(lambda: lines_done(fed) > before, 30, "a part")


def test_a_batch_that_was_cut_goes_on(fed, umbra):
    many = euis(3 * PART, 0xa3)
    body = lines(*(("put", eui, "000013") for eui in many))
    before = count(fed, "000013")
    send_half(fed, body, "cut")
    client = Client(fed, fed.acme)
    assert results(batch(client, body, "cut")) == [(201, "added")] * len(many)
    assert count(fed, "000013") == before + len(many)
    client.http.close()


def test_what_a_killed_broker_had_done_is_not_lost(fed):
    many = euis(3 * PART, 0xa4)
    body = lines(*(("put", eui, "000013") for eui in many))
    before = count(fed, "000013")
    send_half(fed, body, "killed")
    fed.broker.kill()
    fed.start_broker()
    assert count(fed, "000013") >= before + PART
    client = Client(fed, fed.acme)
    assert results(batch(client, body, "killed")) == [(201, "added")] * len(many)
    assert count(fed, "000013") == before + len(many)
    client.http.close()


def test_claims_in_vain_are_misses(fed):
    """A member that tries what others have is stopped by its budget, and told so for the rest."""
    fed.cli("policy", "set", "budget.unknown", "50", "--yes")
    theirs = euis(200, 0xa5)
    fed.devices("000014", theirs)
    client = Client(fed, fed.acme)
    wait_until(lambda: client("GET", f"/devices/{ACMES}").status_code == 200)
    body = lines(*(("put", eui, "000013") for eui in theirs)) + b"\n" * 70000
    assert {(409, "taken")} == set(results(batch(client, body)))
    refused = client("GET", f"/devices/{OTHER}")
    is_problem(refused, 429)
    assert int(refused.headers["retry-after"]) > 0
    fed.cli("policy", "set", "budget.unknown", "100000", "--yes")
    client.http.close()


def test_a_part_with_many_claims_in_vain_is_done_in_two_goes(fed, acme):
    """The writer stops behind a thousand, and is asked for the rest while the budget bears it; told again all the same."""
    for budget in ("unknown", "misses"):
        fed.cli("policy", "set", f"budget.{budget}", "100000", "--yes")
    some = random.Random(7).sample(range(1 << 32), 1500 + 5 * PART)  # in no order, which would be a walk
    theirs, mine = ([f"70b3d57e{i:08x}" for i in part] for part in (some[:1500], some[1500:]))
    fed.devices("000014", theirs)
    rows = mine[:2 * PART] + theirs + mine[2 * PART:]
    want = [(201, "added")] * 2 * PART + [(409, "taken")] * len(theirs) + [(201, "added")] * 3 * PART
    before, key = count(fed, "000013"), f"in vain {time.monotonic()}"
    body = lines(*(("put", eui, "000013") for eui in rows))
    assert results(batch(acme, body, key)) == want
    assert count(fed, "000013") == before + len(mine)
    assert results(batch(acme, body, key)) == want
    assert {(204, "removed")} == set(results(batch(acme, lines(*(("delete", eui) for eui in mine)))))


def test_a_member_looks_after_its_own_zones(fed):
    """What is held it accepts itself; where its servers are the operator sets."""
    key, some = tsig_key(fed.folder), EUIS[10:]
    acme, umbra = Client(fed, fed.acme), Client(fed, fed.umbra)
    fed.cli("member", "set", "acme", "--netid", "00002a")
    bind = Bind(fed.folder / "bind", ZONE, [cname(e, "00002a") for e in some], key)
    try:
        fed.cli("zone", "primary", "set", ZONE, "--member", "acme", "--address", f"127.0.0.1:{bind.port}", "--netid", "00002a",
                "--tsig-key", key, "--refresh-min", "1")
        mine = lambda: acme("GET", "/zones").json()["zones"][0]
        wait_until(lambda: mine()["devices"] == len(some), 30)
        assert (mine()["zone"], mine()["netids"], mine()["tsig_key"], mine()["state"]) == (ZONE, ["00002a"], "acme.key", "good")
        assert secret_of(key) not in json.dumps(mine())
        assert umbra("GET", "/zones").json() == {"zones": []}
        is_problem(acme("GET", "/zones?x=1"), 400)
        is_problem(acme("POST", f"/zones/{ZONE}/accept"), 409)
        for verb, op in (("refresh", "zone.primary.refresh"), ("accept", "zone.accept")):
            is_problem(umbra("POST", f"/zones/{ZONE}/{verb}"), 404)
            is_problem(umbra("POST", f"/operations/{op}", json={"args": {"member": "acme", "zone": ZONE}}), 403)
        is_problem(acme("POST", "/operations/zone.primary.set", json={"args": {}}), 403)
        bind.update(*(f"update delete {e}.deveui.{ZONE}. CNAME" for e in some[:3]))
        assert acme("POST", f"/zones/{ZONE}/refresh").json()["zones"] == [{"zone": ZONE}]
        wait_until(lambda: mine()["state"] == "held", 30)
        done = acme("POST", f"/zones/{ZONE}/accept", params={"reason": "sold"}).json()
        assert done["zones"] == [{"zone": ZONE, "held": True, "serial": mine()["held_serial"], "gone": 3, "of": len(some)}]
        wait_until(lambda: mine()["devices"] == len(some) - 3 and mine()["state"] == "good", 30)
    finally:
        bind.kill()
        acme.http.close()
        umbra.http.close()


def test_what_cannot_be_read_and_what_is_not_kept(fed):
    """A damaged device is 503, and the list goes on behind it; changes that the journal does not have any more are 410."""
    some = euis(3, 0xc2)
    fed.devices("000013", some)
    oldest = fed.json("journal", "export")[0]["sequence"]
    fed.broker.stop()
    assert any(spoil(fed.state, table, bytes.fromhex(some[1])) for table in ("devices.0", "devices.1"))
    remove(fed.state, "journal", (oldest + 1).to_bytes(8, "big"))
    fed.start_broker()
    client = Client(fed, fed.acme)
    gone = is_problem(client("GET", f"/changes?since={oldest}"), 410)
    assert "/devices" in gone["hint"]
    refused = client("GET", f"/devices/{some[1]}")
    is_problem(refused, 503)
    assert int(refused.headers["retry-after"]) > 0
    listed = [row["deveui"] for row in client("GET", f"/devices?after={euis(1, 0xc1)[0]}").json()["devices"]]
    assert some[0] in listed and some[2] in listed and some[1] not in listed
    refused = fed.cli("zone", "import", "--netid", "000013", "--replace", "--yes", "-", stdin=ACMES, code=None)
    assert refused.returncode != 0 and "a row of the registry cannot be read" in refused.stderr and "zone check" in refused.stderr
    assert f"device {some[1]}: its row cannot be read" in fed.cli("zone", "check", code=3).stdout
    client.http.close()


# --- the specification ---

def test_the_rows_that_have_files_of_their_own(fed):
    """Certificates, the replicas' feed, and leaving, which other tests look at closely."""
    fed.member("leaver")
    client = Client(fed, fed.cert("doh", member="leaver"))
    assert client("GET", "/certificates").status_code == 200
    is_problem(client("GET", "/feed"), 403)
    assert client("POST", "/leave").status_code == 200
    client.http.close()


def documented():
    return {(method.upper(), path): row for path, item in SPEC["paths"].items()
            for method, row in item.items() if method != "parameters"}


def test_the_specification_has_every_row_and_no_other():
    text = (SOURCE / "broker/api/routes.c").read_text().replace("FR_API_FEED", 'FR_API_ROOT "/feed"')
    table = re.findall(r'\{"(\w+)",\s+FR_API_ROOT "([^"]+)",\s+(\w+),', text)
    assert len(table) == text.count('{"')
    rights = {(method, path): right.removeprefix("FR_RIGHT_").lower() for method, path, right in table}
    assert rights.keys() == documented().keys()
    assert {key: right for key, right in rights.items() if right != "0"} == \
        {key: row["x-right"] for key, row in documented().items() if "x-right" in row}


def test_every_status_of_the_specification_was_met_and_no_other():
    """Of all requests above: the last test of this file."""
    said = {(method, path, status) for (method, path), row in documented().items() for status in row["responses"]}
    met = {("GET" if method == "HEAD" else method, path, status) for method, path, status in SEEN if path}
    assert not {row for row in said if row[2] != "default"} - met
    for method, path, status in met:
        if (method, path) in documented() and status.startswith("2"):
            assert (method, path, status) in said
