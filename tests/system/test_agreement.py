"""After any sequence of claims, moves, withdrawals, lists, suspensions, kills and a promotion, everything that can be asked says the same: the
model, the store, its export, the replica, a BIND secondary, and the answers of both brokers. FR_SEED gives another sequence."""
import collections
import contextlib
import json
import os
import random
import socket
import ssl
import threading
import time

import httpx
import pytest

from fed import wait_until
from replicas import LONG, Replica, answers, eui, set_federation, start_replica, wait_same
from secondaries import Bind, Broker

STEPS = 100_000 if LONG else 5_000  # devices that a step asks something of
ROUNDS = 200 if LONG else 4         # between two of them one of the brokers is killed
POOL = 400                          # few enough that members meet
OWNER = {"000013": "acme", "00002a": "acme", "00002b": "bolt"}


class Model:
    """What the rule book says of each device: NetID and, when it was released, to whom."""

    def __init__(self):
        self.netid, self.released, self.suspended = {}, {}, set()

    def copy(self):
        other = Model()
        other.netid, other.released, other.suspended = dict(self.netid), dict(self.released), set(self.suspended)
        return other

    def member(self, n):
        return OWNER.get(self.netid.get(n))

    def may_have(self, n, member):
        return self.member(n) in (None, member) or self.released.get(n) == member

    def put(self, n, netid):
        if self.netid.get(n) != netid:
            self.released.pop(n, None)
        self.netid[n] = netid

    def drop(self, n):
        self.netid.pop(n, None)
        self.released.pop(n, None)


def ask(fed, op, args, reason=None):
    """One operation on control.sock; True: done, False: refused."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(fed.state / "control.sock"))
        body = json.dumps({"args": args, **({"reason": reason} if reason else {})}).encode()
        s.sendall(f"POST /admin/v1/{op} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                  f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        reply = b"".join(iter(lambda: s.recv(65536), b""))
    if not reply:
        raise ConnectionError("no answer")
    status = int(reply.split()[1])
    assert status == 200 or 400 <= status < 500, reply
    return status == 200


class World:
    """The brokers, who asks them, and the model beside them."""

    def __init__(self, fed, seed):
        self.fed, self.rng, self.model = fed, random.Random(seed), Model()
        self.said = collections.Counter()

    def some(self, most=20):
        return self.rng.sample(range(POOL), self.rng.randint(1, most))

    def active(self):
        return [netid for netid, member in OWNER.items() if member not in self.model.suspended]

    # Each step: operation, arguments, and what becomes of the model when it is done; None: it is to be refused.

    def add(self):
        netid, group = self.rng.choice(self.active()), self.some()
        after = self.model.copy()
        for n in group:
            if not after.may_have(n, OWNER[netid]):
                return "device.add", {"netid": netid, "devices": [eui(n) for n in group]}, None, group
            after.put(n, netid)
        return "device.add", {"netid": netid, "devices": [eui(n) for n in group]}, after, group

    def add_free(self):
        """As add, of what may be had: most publishing is no quarrel."""
        netid = self.rng.choice(self.active())
        group = [n for n in self.some(60) if self.model.may_have(n, OWNER[netid])] or self.some(1)
        after = self.model.copy()
        if not all(after.may_have(n, OWNER[netid]) for n in group):
            after = None
        for n in group if after else ():
            after.put(n, netid)
        return "device.add", {"netid": netid, "devices": [eui(n) for n in group]}, after, group

    def remove(self):
        group, after = self.some(), self.model.copy()
        for n in group:
            after.drop(n)
        return "device.remove", {"devices": [eui(n) for n in group]}, after, group

    def release(self):
        there = [n for n in self.some(60) if n in self.model.netid]
        to = self.rng.choice(["acme", "bolt"])
        group = [n for n in there if self.model.member(n) != to]
        if not group:
            return self.remove()
        after = self.model.copy()
        for n in group:
            after.released[n] = to
        return "device.release", {"devices": [eui(n) for n in group], "to": to}, after, group

    def claim(self):
        netid = self.rng.choice(self.active())
        group = [n for n, to in self.model.released.items() if to == OWNER[netid]][:20]
        if not group:
            return self.release()
        after = self.model.copy()
        for n in group:
            after.put(n, netid)
        return "device.claim", {"netid": netid, "devices": [eui(n) for n in group]}, after, group

    def move(self):
        netid, group = self.rng.choice(self.active()), [n for n in self.some() if n in self.model.netid]
        if not group:
            return self.add_free()
        after = self.model.copy()
        for n in group:
            after.put(n, netid)
        return "device.move", {"netid": netid, "devices": [eui(n) for n in group]}, after, group

    def suspend(self):
        after = self.model.copy()
        if after.suspended:
            member = after.suspended.pop()
            return "member.resume", {"id": member}, after, []
        after.suspended.add("bolt")
        return "member.suspend", {"id": "bolt"}, after, []

    def draw(self):
        kinds = [self.add, self.add_free, self.remove, self.release, self.claim, self.move, self.suspend]
        return self.rng.choices(kinds, [2, 6, 2, 2, 3, 2, 0.3])[0]()

    def step(self):
        """One step, refused or done as the model says; how many devices it named."""
        op, args, after, group = self.draw()
        done = ask(self.fed, op, args, "settled" if op == "device.move" else None)
        assert done == (after is not None), (op, args)
        self.model = after or self.model
        self.said[op if done else "refused"] += 1
        return max(1, len(group))

    # --- other ways in ---

    def batch(self, http):
        """A member's own batch over HTTPS: each line for itself."""
        lines = []
        for n in self.some(60):
            if self.model.member(n) == "bolt" and self.rng.random() < 0.4:
                lines.append(({"op": "delete", "eui": eui(n), "netid": "00002b"}, True))
                self.model.drop(n)
            else:
                may = self.model.may_have(n, "bolt")
                lines.append(({"op": "put", "eui": eui(n), "netid": "00002b"}, may))
                if may:
                    self.model.put(n, "00002b")
        reply = http.post("/devices:batch", content="".join(json.dumps(line) + "\n" for line, _ in lines),
                          headers={"content-type": "application/x-ndjson"})
        assert reply.status_code == 200, reply.text
        told = [json.loads(line)["status"] < 300 for line in reply.text.splitlines()]
        assert told == [done for _, done in lines]
        self.said["batch"] += 1
        return len(lines)

    def replace(self):
        """The operator's list takes the place of all that a NetID has."""
        netid = self.rng.choice(self.active())
        group = [n for n in self.some(150) if self.model.may_have(n, OWNER[netid])]
        for n in [n for n, at in self.model.netid.items() if at == netid and n not in group]:
            self.model.drop(n)
        for n in group:
            self.model.put(n, netid)
        self.fed.cli("zone", "import", "--netid", netid, "--replace", "-", "--yes", stdin="".join(f"{eui(n)}\n" for n in group))
        self.said["replace"] += 1
        return max(1, len(group))

    def kill_primary(self):
        """In the middle of a step: it has happened or not, and nothing between."""
        op, args, after, _ = self.draw()
        done = []

        def run():
            with contextlib.suppress(OSError):
                done.append(ask(self.fed, op, args, "settled" if op == "device.move" else None))
        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(self.rng.random() * 0.01)  # not a wait for anything: where the kill falls
        self.fed.broker.kill()
        thread.join(60)
        self.fed.start_broker()
        self.said["killed"] += 1
        if after is None:
            assert done in ([], [False])
        elif done:
            self.model = after
        elif op.startswith("member."):
            state = next(row for row in self.fed.json("member", "list") if row["id"] == args["id"])["state"]
            self.model = after if (state == "suspended") == bool(after.suspended) else self.model
        else:
            there = devices(self.fed)
            assert there in (after.netid, self.model.netid)
            if op == "device.release":
                rows = {row["deveui"]: row["to"] for row in self.fed.json("device", "releases")}
                assert rows in ({eui(n): to for n, to in m.released.items()} for m in (after, self.model))
                there = None if rows == {eui(n): to for n, to in self.model.released.items()} else there
            self.model = after if there == after.netid else self.model


def devices(fed):
    found = {}
    for netid in OWNER:
        for row in fed.json("device", "list", "--netid", netid):
            n = int(row["deveui"], 16) - int(eui(0), 16)
            assert n not in found, "a device of two networks"
            found[n] = netid
    return found


def exported(fed):
    return sorted(line for line in fed.cli("zone", "export").stdout.splitlines() if line and not line.startswith(";"))


def assert_agree(world, *feds):
    model, rng = world.model, world.rng
    texts = []
    for fed in feds:
        assert devices(fed) == model.netid
        assert {row["deveui"]: row["to"] for row in fed.json("device", "releases")} == {eui(n): to for n, to in model.released.items()}
        texts.append(exported(fed))
        assert sum(".deveui" in line.split()[0] for line in texts[-1]) > 0 or not model.netid
        wait_until(lambda fed=fed: answers(fed, 0, world.asker) != 503, 30, "answers")  # within a second of being level
        for n in rng.sample(range(POOL), 12):
            is_shown = n in model.netid and model.member(n) not in model.suspended
            assert answers(fed, n, world.asker) == (0 if is_shown else 3), (n, model.netid.get(n), model.suspended)
        assert ", 0 damages" in fed.cli("zone", "check", code=None).stderr
    assert all(text == texts[0] for text in texts)


@pytest.fixture
def world(tmp_path):
    fed = Broker(tmp_path)
    fed.member("watch", "000014", "127.0.0.1:8005")
    w = World(fed, int(os.environ.get("FR_SEED", "3")))
    w.asker = fed.cert("doh", member="watch")
    w.bolt = fed.cert("doh", member="bolt")
    fed.cli("cert", "set", w.bolt.serial, "--right", "lookup", "--right", "publish")
    w.replica = Replica(fed, "b2").follow()
    fed.start_broker()
    w.replica.start_broker()
    w.bind = Bind(tmp_path / "bind", fed)
    fed.add_secondary(w.bind)
    yield w
    try:
        w.replica.stop()
    finally:
        fed.stop()


@contextlib.contextmanager
def member_client(fed, cert):
    context = ssl.create_default_context(cafile=cert.root)
    context.load_cert_chain(cert.chain, cert.key)
    context.check_hostname = False
    with httpx.Client(http2=True, verify=context, timeout=60, base_url=f"https://127.0.0.1:{fed.port}/api/v1",
                      headers={"host": f"{fed.host}:{fed.port}"}) as http:
        yield http


def test_everything_agrees_after_any_sequence(world):
    fed, replica, named = world.fed, world.replica, 0
    for part in range(ROUNDS):
        while named < STEPS * (part + 1) // ROUNDS:
            named += world.step()
        if "bolt" not in world.model.suspended:
            with member_client(fed, world.bolt) as http:
                for _ in range(5):
                    named += world.batch(http)
        named += world.replace()
        if part % 2 == 0:
            world.kill_primary()
        else:
            replica.broker.kill()
            start_replica(replica)
            named += world.step()
    print(dict(world.said), named, "devices named")
    wait_same(fed, replica)
    assert_agree(world, fed, replica)
    fed.wait_agree(world.bind)
    # the primary is gone for good: the replica goes on from there, by the same rules
    fed.broker.kill()
    replica.cli("promote", "--reason", "the first one died")
    world.fed = replica
    for _ in range(50):
        world.step()
    assert_agree(world, replica)
    # and the old one, as its replica, comes to the same
    set_federation(fed, others=(replica,))
    start_replica(fed)
    wait_until(lambda: fed.json("replica", "status")["role"] == "replica", 60, "the old primary to follow")
    wait_same(replica, fed)
    assert_agree(world, replica, fed)
