"""A member that publishes by all three ways at once, through a day of changes in small: what comes, goes and moves between the ways while
broker, name server, database, replica and DNS secondary are stopped and killed. All that can be asked says the same throughout."""
import os
import random
import re
import signal
import subprocess
import types

import dns.rcode
import pytest

from chirpstack import APPLICATIONS, PROFILES, PostgreSQL, tables_v4
import secondaries
from fed import BIN, ENV, Federation, free_port, tool, wait_until
from nameservers import ZONE, Bind, cname, tsig_key
from replicas import Replica, wait_same

LONG = bool(os.environ.get("FR_LONG"))
DEVICES = 1_000_000 if LONG else 20_000
ROUNDS = 12 if LONG else 4
PATIENCE = 900 if LONG else 120
API, NAMES, SYNC = "000013", "00002a", "00002b"      # the NetID that each way fills
MAX_UPDATE = 300                                     # records in one dynamic update


def eui(n):
    return f"70b3d57e{n:08x}"


class Api:
    """`fedroam device batch`, which goes on where it was cut."""

    def __init__(self, world):
        self.world, self.n = world, 0

    def change(self, gone, come):
        path = self.world.folder / f"batch-{self.n}.ndjson"
        self.n += 1
        path.write_text("".join(f'{{"op":"delete","eui":"{e}","netid":"{API}"}}\n' for e in gone)
                        + "".join(f'{{"op":"put","eui":"{e}","netid":"{API}"}}\n' for e in come))
        return subprocess.Popen([str(BIN / "fedroam"), "device", "batch", str(path), "--broker", self.world.url, "--config",
                                 str(self.world.resolver)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENV)

    fill = change

    def close(self):
        pass


class Names:
    """A zone on the member's own BIND."""

    def __init__(self, world, first):
        self.world = world
        self.server = Bind(world.folder / "bind", ZONE, [cname(e, NAMES) for e in first], world.key, notify=world.notify)
        world.cli("zone", "primary", "set", ZONE, "--member", "acme", "--address", f"127.0.0.1:{self.server.port}", "--netid", NAMES,
                  "--tsig-key", world.key, "--refresh-min", "1")

    def change(self, gone, come):
        lines = [f"update delete {e}.deveui.{ZONE}. CNAME" for e in gone] + [
            f"update add {e}.deveui.{ZONE}. 300 CNAME {NAMES}.netid.fed.test." for e in come]
        for at in range(0, len(lines), MAX_UPDATE):
            self.server.update(*lines[at:at + MAX_UPDATE])

    def restart(self):
        self.server.kill()
        (self.server.folder / "named.log").unlink()
        self.server._run()

    def close(self):
        if self.server.is_running():
            self.server.kill()


class Sync:
    """A ChirpStack's PostgreSQL, and `fedroam sync --watch` beside it all the time."""

    def __init__(self, world, first):
        self.world, self.server = world, PostgreSQL()
        self.server.create("chirpstack", tables_v4())
        self.change([], first)
        dsn, conf = world.folder / "dsn", world.folder / "sync.yaml"
        dsn.write_text(self.server.dsn("chirpstack", "owner"))
        dsn.chmod(0o600)
        conf.write_text(f"database: {{dsn_file: {dsn}}}\nevery: {'10s' if LONG else '700ms'}\nfederations:\n  - name: fed.test\n"
                        f"    netid: \"{SYNC}\"\n    broker: {world.url}\n    config: {world.resolver}\n    tenants: [city]\n")
        self.log = open(world.folder / "sync.log", "wb")
        self.process = subprocess.Popen([str(BIN / "fedroam"), "sync", "chirpstack-v4", "--config", str(conf), "--watch"],
                                        stdout=self.log, stderr=self.log, env=ENV)

    def change(self, gone, come):
        """In parts, each a transaction of its own, as people and programs do it."""
        for part in (gone[:len(gone) // 2], gone[len(gone) // 2:]):
            if part:
                self.server.sql("chirpstack", "delete from device where dev_eui in (" + ",".join(f"'\\x{e}'" for e in part) + ");")
        for at in range(0, len(come), 50000):
            rows = ",".join(f"('\\x{e}','{APPLICATIONS['lamps'][0]}','{PROFILES['otaa'][0]}')" for e in come[at:at + 50000])
            self.server.sql("chirpstack", f"insert into device (dev_eui, application_id, device_profile_id) values {rows};")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.log.close()
        self.server.close()
        assert code == -signal.SIGTERM, (self.world.folder / "sync.log").read_text()[-4000:]


@pytest.fixture
def world(tmp_path):
    fed = Federation(tmp_path, workers=1).init()
    fed.cli("member", "add", "acme", *(x for netid in (API, NAMES, SYNC) for x in ("--netid", netid)), "--endpoint", "127.0.0.1:8005")
    fed.member("umbra", "000014", "127.0.0.2:8005")
    fed.cert_of = fed.cert("doh", member="acme")
    fed.cli("cert", "set", fed.cert_of.serial, "--right", "lookup", "--right", "publish")
    fed.key, fed.notify, fed.xfr = tsig_key(fed.folder), free_port(), free_port()
    fed.resolver = fed.folder / "resolver.yaml"
    fed.resolver.write_text(f"federations:\n  - name: fed.test\n    broker: {fed.url}\n    addresses: [127.0.0.1]\n"
                            f"    ca: {fed.cert_of.root}\n    certificate: {fed.cert_of.chain}\n    key: {fed.cert_of.key}\n")
    fed.write_config(listen=[f"  - {{address: 127.0.0.1, port: {fed.port}, serve: https}}",
                             f"  - {{address: 127.0.0.1, port: {fed.notify}, serve: notify}}",
                             f"  - {{address: 127.0.0.1, port: {fed.xfr}, serve: xfr}}"],
                     more="limits: {transfer: 10m, transfer_records: 2000000}\n")
    fed.start_broker()
    fed.replica = Replica(fed, "b2").follow()
    fed.replica.start_broker()
    key = tsig_key(fed.folder, "ns2.key")
    fed.secondary = secondaries.Bind(fed.folder / "ns2", types.SimpleNamespace(key=key, xfr=fed.xfr, xot=0))
    fed.cli("zone", "secondary", "add", "ns2", "--tsig-key", key, "--address", f"127.0.0.1:{fed.secondary.port}")
    fed.ways = {}
    yield fed
    if fed.secondary.is_running():
        fed.secondary.kill()
    faults = []
    for stop in (*(way.close for way in fed.ways.values()), fed.replica.stop, fed.stop):
        try:
            stop()
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, "\n".join(faults)


def counts(world):
    return {row["netid"]: row["devices"] for row in world.json("network", "list")}


def listed(fed, netid):
    return [line.split()[0] for line in fed.cli("device", "list", "--netid", netid).stdout.splitlines()]


def wait_for(world, model):
    """Until the broker counts what the model has; then it has to be the same devices."""
    want = {netid: len(devices) for netid, devices in model.items()}
    last = {}

    def is_there():
        last.update(counts(world))
        return all(last.get(netid) == n for netid, n in want.items())
    try:
        wait_until(is_there, PATIENCE)
    except AssertionError:
        raise AssertionError(f"{want} expected, {last} there\n{world.cli('zone', 'primary', 'show', 'acme').stdout}\n"
                             f"{(world.folder / 'sync.log').read_text()[-3000:]}") from None


def ended(batch):
    said = batch.communicate(timeout=PATIENCE)[0]
    assert batch.returncode == 0, said


def disturb(world, number):
    """What happens to the programs in a round, while changes are under way."""
    if number % 4 == 0:
        world.broker.kill()
        world.start_broker()
    elif number % 4 == 1:
        world.replica.broker.kill()
        world.replica.start_broker()
        world.secondary.kill()
        world.secondary.run()
        world.ways[NAMES].restart()
    elif number % 4 == 2:
        world.ways[SYNC].server.stop()
        world.ways[SYNC].server.start()
    else:
        world.broker.stop()
        world.start_broker()


def one_round(world, model, pick, fresh, number):
    """A hundredth of each way's devices goes, a hundredth comes, a hundredth moves on to the next way: first what leaves, then what comes."""
    ring = [API, NAMES, SYNC]
    moving = {}
    size = max(1, DEVICES // 3 // 100)
    leaving = {netid: pick.sample(sorted(model[netid]), 2 * size) for netid in ring}
    for netid in ring:
        model[netid] -= set(leaving[netid])
        moving[ring[(ring.index(netid) + 1) % 3]] = leaving[netid][:size]
    batch = world.ways[API].change(leaving[API], [])
    world.ways[NAMES].change(leaving[NAMES], [])
    world.ways[SYNC].change(leaving[SYNC], [])
    ended(batch)
    wait_for(world, model)
    coming = {netid: moving[netid] + [eui(next(fresh)) for _ in range(size)] for netid in ring}
    for netid in ring:
        model[netid] |= set(coming[netid])
    batch = world.ways[API].change([], coming[API])
    world.ways[NAMES].change([], coming[NAMES])
    world.ways[SYNC].change([], coming[SYNC])
    disturb(world, number)
    ended(batch)
    wait_for(world, model)
    return [e for netid in ring for e in leaving[netid][size:]]


CNAME = re.compile(r"^([0-9a-f]{16})\.deveui\S*\s.*\bCNAME\s+([0-9a-f]{6})\.", re.M)


def wait_others(world, model):
    """Until the BIND that is a secondary of the zone, and the replica, have exactly the model's devices."""
    want = {device: netid for netid, devices in model.items() for device in devices}

    def zone():
        dig = [tool("dig"), "@127.0.0.1", "-p", str(world.secondary.port), "fed.test", "AXFR", "+noall", "+answer", "+time=60"]
        return dict(CNAME.findall(subprocess.run(dig, text=True, capture_output=True, check=False).stdout))
    try:
        wait_until(lambda: zone() == want, PATIENCE)
    except AssertionError:
        there = set(zone().items())
        raise AssertionError(f"the secondary has not {sorted(set(want.items()) - there)[:9]}, and has {sorted(there - set(want.items()))[:9]}\n"
                             f"{world.broker.text()[-3000:]}\n{world.secondary.text()[-2000:]}") from None
    wait_until(lambda: all(counts(world.replica).get(netid) == len(devices) for netid, devices in model.items()), PATIENCE, "the replica")


def check_answers(world, broker, model, gone, pick):
    """What look-ups say of some that are there, and of some that went."""
    for netid, devices in model.items():
        for device in pick.sample(sorted(devices), 10):
            answer = broker.query(f"{device}.deveui.fed.test", "CNAME", world.cert_of).answer
            assert str(answer[0][0].target) == f"{netid}.netid.fed.test.", device
    for device in pick.sample(gone, 10):
        reply = broker.query(f"{device}.deveui.fed.test", "CNAME", world.cert_of)
        assert reply.rcode() == dns.rcode.NXDOMAIN, device


def test_a_day_of_a_member_that_publishes_by_all_ways(world):
    pick = random.Random(20261120)
    numbers = list(range(DEVICES))
    pick.shuffle(numbers)
    third = DEVICES // 3
    model = {netid: {eui(n) for n in numbers[i * third:(i + 1) * third]} for i, netid in enumerate((API, NAMES, SYNC))}
    fresh = iter(range(DEVICES, 2 * DEVICES))
    world.ways = {API: Api(world), NAMES: Names(world, sorted(model[NAMES])), SYNC: Sync(world, sorted(model[SYNC]))}
    ended(world.ways[API].fill([], sorted(model[API])))
    wait_for(world, model)
    gone = []
    for number in range(ROUNDS):
        gone += one_round(world, model, pick, fresh, number)
        wait_others(world, model)
    # the store, what is exported, what a member reads by the API, and what two brokers answer
    for netid, devices in model.items():
        assert listed(world, netid) == sorted(devices), netid
    exported = dict(CNAME.findall(world.cli("zone", "export").stdout))
    assert exported == {device: netid for netid, devices in model.items() for device in devices}
    own = world.run("device", "list", "--broker", world.url, "--config", world.resolver).stdout.splitlines()
    assert {line.split()[0] for line in own} == set(exported)
    wait_same(world, world.replica, PATIENCE)
    for netid, devices in model.items():
        assert listed(world.replica, netid) == sorted(devices), netid
    for broker in (world, world.replica):
        check_answers(world, broker, model, gone, pick)
    assert world.cli("zone", "check", code=None).returncode == 0
