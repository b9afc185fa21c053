"""fedroam sync: a ChirpStack's database in a real PostgreSQL (or SQLite), the differences to a running broker."""
import json
import re
import signal
import subprocess
import time

import pytest

from chirpstack import (PROFILES, SERVICES, VENDORS, PostgreSQL, SQLite, device_v3, device_v3_names, device_v4, tables_v3,
                        tables_v3_names, tables_v4)
from fed import BIN, ENV, Federation, wait_until

NETID = "000013"


def eui(n):
    return f"70b3d57e{n:08x}"


@pytest.fixture(scope="module")
def postgresql():
    server = PostgreSQL()
    yield server
    server.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    fed = Federation(tmp_path_factory.mktemp("fed"))
    fed.init()
    fed.cli("member", "add", "acme", "--netid", NETID, "--netid", "00002a", "--endpoint", "127.0.0.1:8005")
    fed.member("umbra", "000014", "127.0.0.2:8005")
    cert = fed.cert("doh", member="acme")
    fed.cli("cert", "set", cert.serial, "--right", "lookup", "--right", "publish")
    fed.resolver = fed.folder / "resolver.yaml"
    fed.resolver.write_text(f"federations:\n  - name: {fed.name}\n    broker: {fed.url}\n    addresses: [127.0.0.1]\n"
                            f"    ca: {cert.root}\n    certificate: {cert.chain}\n    key: {cert.key}\n")
    fed.start_broker()
    yield fed
    fed.stop()


class Sync:
    """One sync.yaml, and the command with it."""

    def __init__(self, fed, kind="v4"):
        self.fed, self.kind = fed, kind
        self.path, self.secret = fed.folder / "sync.yaml", fed.folder / "dsn"
        self.command = ["sync", f"chirpstack-{kind}", "--config", str(self.path)]

    def dsn(self, text):
        self.secret.write_text(text + "\n")
        self.secret.chmod(0o600)
        return f"database: {{dsn_file: {self.secret}}}\n"

    def write(self, database, choice="", where=None, netid=NETID, more=""):
        where = where or f"broker: {self.fed.url}\n    config: {self.fed.resolver}"
        lines = "".join(f"    {line}\n" for line in choice.splitlines())
        self.path.write_text(f"{database}{more}federations:\n  - name: fed.test\n    netid: \"{netid}\"\n    {where}\n{lines}")
        return self

    def run(self, *args, code=0, env=None):
        done = subprocess.run([str(BIN / "fedroam"), "-o", "json", *self.command, *args], text=True, capture_output=True, timeout=120,
                              env={**ENV, **(env or {})}, check=False)
        assert code is None or done.returncode == code, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        self.said = done.stderr
        return json.loads(done.stdout) if done.stdout else None


def published(fed, netid=NETID):
    return [d["deveui"] for d in fed.json("device", "list", "--netid", netid)]


def clean(fed):
    for netid in (NETID, "00002a", "000014"):
        there = published(fed, netid)
        if there:
            fed.cli("device", "remove", *there)


@pytest.mark.parametrize("is_new", (False, True), ids=("before 2025-11", "after"))
def test_v4_publishes_what_roams_and_says_what_not(world, postgresql, is_new):
    clean(world)
    name = f"v4_{'new' if is_new else 'old'}"
    postgresql.create(name, tables_v4(is_new))
    postgresql.sql(name, "".join(device_v4(eui(i)) for i in range(30)) + device_v4(eui(40), profile="abp")
                   + device_v4(eui(41), disabled=True) + device_v4(eui(42), profile="home") + device_v4(eui(43), application="cows")
                   + device_v4(eui(44), tags='{"roaming": "no"}') + device_v4(eui(45), tags='{"roaming": "fed.test"}')
                   + device_v4("0000000000000000"))
    postgresql.grant(name, "ChirpStack v4: a role that may read")
    # what the role may not see: sessions and keys
    for query in ("select device_session from device", "select * from device_keys"):
        with pytest.raises(AssertionError, match="permission denied"):
            postgresql.sql(name, f"set role fedroam_sync; {query};")
    sync = Sync(world)
    sync.write(sync.dsn(postgresql.dsn(name)))
    trial = sync.run("--dry-run")
    assert (trial["add"], trial["done"], published(world)) == (33, 0, [])
    first = sync.run()
    assert (first["read"], first["chosen"], first["add"], first["withdraw"], first["done"]) == (37, 33, 33, 0, 33)
    assert {k: (v["count"], v["examples"]) for k, v in first["left_out"].items()} == {
        "abp": (1, [eui(40)]), "disabled": (1, [eui(41)]), "not_roaming": (1, [eui(42)]), "reserved": (1, ["0" * 16])}
    assert published(world) == [eui(i) for i in (*range(30), 43, 44, 45)]
    again = sync.run()
    assert (again["add"], again["withdraw"], again["done"]) == (0, 0, 0)
    # one goes, one comes, one moves from another network of the member
    world.cli("device", "add", "--netid", "00002a", eui(50))
    postgresql.sql(name, f"delete from device where dev_eui = '\\x{eui(0)}';" + device_v4(eui(50)) + device_v4(eui(51)))
    change = sync.run()
    assert (change["add_examples"], change["withdraw_examples"]) == ([eui(50), eui(51)], [eui(0)])
    assert published(world) == [eui(i) for i in (*range(1, 30), 43, 44, 45, 50, 51)] and not published(world, "00002a")
    # choices
    for choice, wanted in (("tenants: [city]", 33), ("tenants: [11111111-0000-0000-0000-000000000002]", 1), ("applications: [cows]", 1),
                           ("device_profiles: [otaa]", 34), ("tags: [roaming]", 2), ("tags: [roaming=fed.test]", 1),
                           ("also: [abp, disabled, not-roaming]", 37), ("tenants: [city]\napplications: [cows]", 0)):
        assert sync.write(sync.dsn(postgresql.dsn(name)), choice).run("--dry-run", code=None)["chosen"] == wanted, choice


def test_v3_with_and_without_the_application_server(world, postgresql):
    clean(world)
    postgresql.create("ns3", tables_v3())
    postgresql.create("as3", tables_v3_names())
    postgresql.sql("ns3", device_v3(eui(1)) + device_v3(eui(2), "farm") + device_v3(eui(3), profile="abp") + device_v3(eui(4), disabled=True))
    postgresql.sql("as3", device_v3_names(eui(0)) + device_v3_names(eui(1), tags="roaming=>yes") + device_v3_names(eui(2), "cows"))
    sync = Sync(world, "v3")
    postgresql.grant("ns3", "ChirpStack v3: the same role in the network server's database")
    postgresql.grant("as3", "ChirpStack v3: the same role in the application server's database")
    database = sync.dsn(postgresql.dsn("ns3"))
    other = world.folder / "as.dsn"
    other.write_text(postgresql.dsn("as3"))
    other.chmod(0o600)
    names = f"application_server: {{dsn_file: {other}}}\n"
    done = sync.write(database).run()
    assert published(world) == [eui(1), eui(2)]
    assert {k: v["examples"] for k, v in done["left_out"].items()} == {"abp": [eui(3)], "disabled": [eui(4)]}
    for choice, more, wanted in ((f"service_profiles: [{SERVICES['farm']}]", "", 1), (f"device_profiles: [{PROFILES['otaa'][0]}]", "", 2),
                                 ("tenants: [farm]", names, 1), ("applications: [lamps]", names, 1), ("tags: [roaming=yes]", names, 1),
                                 ("device_profiles: [otaa]", names, 2), ("", names, 2)):
        assert sync.write(database, choice, more=more).run("--dry-run", code=None)["chosen"] == wanted, choice
    sync.write(database, "tags: [roaming]").run(code=78)
    assert "application_server" in sync.said
    for name in ("ns3", "as3"):
        postgresql.sql(name, "update schema_migrations set dirty = true;")
        sync.write(database, more=names).run(code=None)
        assert "migration" in sync.said
        postgresql.sql(name, "update schema_migrations set dirty = false;")


def test_a_run_that_withdraws_much_stops_and_asks(world, postgresql):
    clean(world)
    postgresql.create("less", tables_v4())
    postgresql.sql("less", "".join(device_v4(eui(i)) for i in range(100)))
    sync = Sync(world)
    sync.write(sync.dsn(postgresql.dsn("less", "owner"))).run()
    postgresql.sql("less", f"delete from device where dev_eui < '\\x{eui(5)}';")
    assert sync.run()["done"] == 5                       # 5 % is not more than 5 %
    postgresql.sql("less", f"delete from device where dev_eui < '\\x{eui(10)}';" + device_v4(eui(200)))
    held = sync.run(code=6)
    assert held["held"] and held["done"] == 0 and "--max-withdraw" in sync.said and len(published(world)) == 95
    sync.run("--max-withdraw", "5x", code=64)
    assert sync.run("--max-withdraw", "6%")["done"] == 6 and len(published(world)) == 91


def test_a_broken_database_withdraws_nothing(world, postgresql):
    clean(world)
    postgresql.create("broken", tables_v4())
    devices = "".join(device_v4(eui(i)) for i in range(40))
    postgresql.sql("broken", devices)
    sync = Sync(world)
    sync.write(sync.dsn(postgresql.dsn("broken", "owner"))).run()
    profile = PROFILES["otaa"][0]
    for harm, heal, word in (
            ("delete from device;", devices, "no devices at all"),
            ("alter table device_profile drop column vendor_profile_id;",
             "alter table device_profile add column vendor_profile_id integer not null default 0;", "middle of a migration"),
            (f"delete from __diesel_schema_migrations where version = '{VENDORS['postgresql']}';",
             f"insert into __diesel_schema_migrations (version) values ('{VENDORS['postgresql']}');", "middle of a migration"),
            ("alter table device_profile rename column allow_roaming to roaming;",
             "alter table device_profile rename column roaming to allow_roaming;", "no device_profile.allow_roaming"),
            ("alter table device rename to device_old;", "alter table device_old rename to device;", "no device.dev_eui"),
            ("alter table __diesel_schema_migrations rename to m;", "alter table m rename to __diesel_schema_migrations;", "schema_migr"),
            (f"update device_profile set id = '{SERVICES['city']}' where id = '{profile}';",
             f"update device_profile set id = '{profile}' where id = '{SERVICES['city']}';", "no device-profile")):
        postgresql.sql("broken", harm)
        sync.run("--max-withdraw", "100%", code=None)
        assert word in sync.said, (harm, sync.said)
        assert len(published(world)) == 40, harm
        postgresql.sql("broken", heal)
        assert sync.run("--dry-run")["withdraw"] == 0, heal
    # a migration that holds the table is not waited for long, and an unreachable server is said to be that
    locker = subprocess.Popen([str(postgresql.bin / "psql"), "-qX", "-h", "127.0.0.1", "-p", str(postgresql.port), "-U", "owner", "broken"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    locker.stdin.write("begin; lock table device in access exclusive mode;\n\\echo locked\n")
    locker.stdin.flush()
    assert locker.stdout.readline() == "locked\n"
    sync.run(code=10)
    assert "lock" in sync.said
    locker.communicate("rollback;\n", timeout=30)
    postgresql.stop()
    sync.run("--max-withdraw", "100%", code=69)
    assert "PostgreSQL" in sync.said and "s3cret" not in sync.said
    postgresql.start()
    assert len(published(world)) == 40 and sync.run()["done"] == 0


def test_an_empty_connection_string_is_no_default(world):
    sync = Sync(world)
    sync.write(sync.dsn("")).run(code=78)
    assert "connection string is empty" in sync.said


def test_where_the_connection_string_may_be(world, postgresql):
    clean(world)
    postgresql.create("place", tables_v4() + device_v4(eui(1)))
    dsn = postgresql.dsn("place", "owner", "pa55word")
    sync = Sync(world)
    refused = subprocess.run([str(BIN / "fedroam"), *sync.command, dsn], text=True, capture_output=True, env=ENV, check=False)
    assert refused.returncode == 64 and "seen by everybody" in refused.stderr and "pa55word" not in refused.stderr
    sync.write("database: {dsn_env: CHIRPSTACK_DSN}\n").run(code=78)
    assert sync.run("--dry-run", env={"CHIRPSTACK_DSN": dsn})["add"] == 1
    folder = world.folder / "credentials"
    folder.mkdir()
    (folder / "chirpstack.dsn").write_text(dsn)
    (folder / "chirpstack.dsn").chmod(0o400)
    sync.write("database: {dsn_credential: chirpstack.dsn}\n").run(code=78)
    assert sync.run("--dry-run", env={"CREDENTIALS_DIRECTORY": str(folder)})["add"] == 1
    sync.write(sync.dsn("host=127.0.0.1 password 'pa55word"))
    sync.run(code=None)
    assert "connection string" in sync.said and "pa55word" not in sync.said
    sync.secret.chmod(0o644)
    sync.run(code=78)
    assert "dsn" in sync.said
    # a role without rights is told where they are
    postgresql.sql("place", "CREATE ROLE bare LOGIN PASSWORD 's3cret';")
    sync.write(sync.dsn(postgresql.dsn("place", "bare"))).run(code=77)
    assert "GRANT" in sync.said


@pytest.mark.parametrize("is_new", (False, True), ids=("before 2025-11", "after"))
def test_sqlite(world, tmp_path, is_new):
    clean(world)
    db = SQLite(tmp_path / "chirpstack.sqlite", is_new)
    db.sql("".join(device_v4(eui(i), tags='{"a.b": "1"}', is_sqlite=True) for i in range(5)) + device_v4(eui(9), profile="abp", is_sqlite=True))
    sync = Sync(world)
    done = sync.write(f"database: {{sqlite: {db.path}}}\n", "tags: [a.b=1]").run()
    assert (done["add"], done["left_out"]["not_chosen"]["count"]) == (5, 1) and published(world) == [eui(i) for i in range(5)]
    db.sql("drop table device_profile;")
    sync.run("--max-withdraw", "100%", code=None)
    assert "device_profile" in sync.said and len(published(world)) == 5
    sync.write(f"database: {{sqlite: {tmp_path / 'none.sqlite'}}}\n").run(code=69)
    (tmp_path / "text.sqlite").write_text("no database at all, but a text that is long enough to be looked at\n" * 20)
    sync.write(f"database: {{sqlite: {tmp_path / 'text.sqlite'}}}\n").run(code=None)
    assert "SQLite" in sync.said and len(published(world)) == 5


def test_on_the_brokers_own_host_and_what_is_refused(world, tmp_path):
    """With `state` instead of `broker`: beside a running broker. What another member has is counted, and named."""
    clean(world)
    db = SQLite(tmp_path / "chirpstack.sqlite")
    db.sql("".join(device_v4(eui(i), is_sqlite=True) for i in range(3)))
    world.devices("000014", [eui(1)])
    sync = Sync(world)
    for where in (f"state: {world.state}", None):
        done = sync.write(f"database: {{sqlite: {db.path}}}\n", where=where).run(code=1)
        assert done["refusals"] == [{"deveui": eui(1), "why": "taken"}] and published(world) == [eui(0), eui(2)]
        world.cli("device", "remove", eui(0), eui(2))
    world.cli("device", "remove", eui(1))
    assert sync.write(f"database: {{sqlite: {db.path}}}\n", where=f"state: {world.state}").run()["done"] == 3
    db.sql(f"delete from device where dev_eui = x'{eui(0)}';")
    sync.run("--max-withdraw", "50")
    assert published(world) == [eui(1), eui(2)]
    # a NetID that is not ours is refused as a whole
    sync.write(f"database: {{sqlite: {db.path}}}\n", netid="000014").run(code=None)
    assert published(world, "000014") == []


def test_several_federations_each_by_its_own_choice(world, tmp_path):
    """One that cannot be reached, or is held, keeps nothing from the others; the exit code is that of the first fault."""
    clean(world)
    db = SQLite(tmp_path / "chirpstack.sqlite")
    db.sql("".join(device_v4(eui(i), tags=json.dumps({"roaming": "ab"[i % 2]}), is_sqlite=True) for i in range(10)))
    sync = Sync(world)
    entry = "  - {{name: {}, netid: \"{}\", broker: {}, config: {}, tags: [roaming={}]}}\n"
    other = tmp_path / "other.yaml"
    other.write_text(world.resolver.read_text().replace("fed.test", "away.test").replace(f":{world.port}", ":1"))
    sync.path.write_text(f"database: {{sqlite: {db.path}}}\nfederations:\n"
                         + entry.format("away.test", NETID, "https://broker.away.test:1", other, "a")
                         + entry.format("fed.test", NETID, world.url, world.resolver, "a")
                         + entry.format("fed.test", "00002a", world.url, world.resolver, "b"))
    command = [str(BIN / "fedroam"), "-o", "json", *sync.command]
    done = subprocess.run(command, text=True, capture_output=True, timeout=400, env=ENV, check=False)
    assert [json.loads(line)["add"] for line in done.stdout.splitlines()] == [5, 5]
    assert done.returncode not in (0, 1) and "away.test" not in done.stdout
    assert published(world) == [eui(i) for i in range(0, 10, 2)] and published(world, "00002a") == [eui(i) for i in range(1, 10, 2)]


def test_watch_heals_what_happened_meanwhile(world, tmp_path):
    clean(world)
    db = SQLite(tmp_path / "chirpstack.sqlite")
    db.sql("".join(device_v4(eui(i), is_sqlite=True) for i in range(30)))
    sync = Sync(world)
    sync.write(f"database: {{sqlite: {db.path}}}\nevery: 300ms\n")
    watch = subprocess.Popen([str(BIN / "fedroam"), *sync.command, "--watch"], text=True, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, env=ENV)
    try:
        wait_until(lambda: len(published(world)) == 30, 30, "the first round")
        world.cli("device", "remove", eui(7))                     # somebody's mistake
        db.sql(device_v4(eui(100), is_sqlite=True))
        wait_until(lambda: published(world) == [eui(i) for i in (*range(30), 100)], 30, "a later round")
        world.broker.kill()                                       # the broker is away, and comes back
        db.sql(device_v4(eui(101), is_sqlite=True))
        time.sleep(0.5)
        world.start_broker()
        wait_until(lambda: eui(101) in published(world), 60, "a round after the broker is back")
        assert watch.poll() is None
    finally:
        watch.send_signal(signal.SIGTERM)
        said = watch.communicate(timeout=30)[1]
    assert watch.returncode == -signal.SIGTERM, said


def test_help_names_the_page(world):
    for kind in ("v3", "v4"):
        text = world.run("sync", f"chirpstack-{kind}", "--help").stdout
        assert "--max-withdraw" in text and re.search(r"docs/publishing-devices\.md", text)
