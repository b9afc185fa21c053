"""A real PostgreSQL (a private cluster, as an unprivileged user) and SQLite, holding the tables of a ChirpStack as far as they say who
roams: v4 before and after the change of its device-profiles of 2025-11, and v3's network server and application server."""
import os
import pathlib
import pwd
import re
import shutil
import sqlite3
import subprocess
import tempfile

from fed import SOURCE, free_port, tool

PAGE = SOURCE / "docs" / "publishing-devices.md"
TENANTS = {"city": "11111111-0000-0000-0000-000000000001", "farm": "11111111-0000-0000-0000-000000000002"}
APPLICATIONS = {"lamps": ("22222222-0000-0000-0000-000000000001", "city"), "cows": ("22222222-0000-0000-0000-000000000002", "farm")}
PROFILES = {  # id, OTAA, allow_roaming
    "otaa": ("33333333-0000-0000-0000-000000000001", True, True), "abp": ("33333333-0000-0000-0000-000000000002", False, True),
    "home": ("33333333-0000-0000-0000-000000000003", True, False)}
SERVICES = {"city": "44444444-0000-0000-0000-000000000001", "farm": "44444444-0000-0000-0000-000000000002"}
MIGRATIONS_V4 = ["00000000000000", "20231122120700", "20251001085546"]
MIGRATION_2025_11 = "202511111404590000"


def snippet(title):
    """The code block of the page whose first line is a comment that says `title`."""
    for block in re.findall(r"```\w*\n(.*?)```", PAGE.read_text(), re.S):
        if title in block.splitlines()[0]:
            return block
    raise AssertionError(f"{PAGE.name} has no block {title!r}")


def binaries():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    assert found, "PostgreSQL is not installed (./dev deps)"
    return found[-1].parent


class PostgreSQL:
    """pg_ctl refuses root: root runs the cluster as `nobody`."""

    def __init__(self):
        self.bin, self.port = binaries(), free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fr-pg-"))
        self.as_user = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_user = [tool("setpriv"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self.data = self.folder / "data"
        self._run("initdb", "-D", self.data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        (self.data / "pg_hba.conf").write_text("local all owner trust\nhost all owner 127.0.0.1/32 trust\n"
                                               "host all all 127.0.0.1/32 scram-sha-256\n")
        self.start()

    def _run(self, program, *args):
        done = subprocess.run([*self.as_user, str(self.bin / program), *map(str, args)], cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=20 -c shared_buffers=16MB"
        # pg_ctl's output to a file: the server keeps it open
        self._run("pg_ctl", "-D", self.data, "-w", "-t", "90", "-l", self.folder / "log", "-o", options, "start")

    def stop(self):
        self._run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)

    def sql(self, database, text):
        done = subprocess.run([str(self.bin / "psql"), "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                               "-U", "owner", "-d", database], input=text, text=True, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def dsn(self, database, user="fedroam_sync", password="s3cret"):
        return f"postgres://{user}:{password}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def create(self, database, tables):
        self.sql("postgres", f"CREATE DATABASE {database};")
        self.sql(database, tables)

    def grant(self, database, title):
        """The page's own lines, with another password; the role is made once."""
        lines = snippet(title).replace("'…'", "'s3cret'").splitlines()
        if self.sql("postgres", "select 1 from pg_roles where rolname = 'fedroam_sync';"):
            lines = [line for line in lines if not line.startswith("CREATE ROLE")]
        self.sql(database, "\n".join(lines))


def _bytes(eui, is_sqlite):
    return f"x'{eui}'" if is_sqlite else f"'\\x{eui}'"


def tables_v4(is_new=True, is_sqlite=False):
    """As ChirpStack's own lists of columns have them; those that nothing here depends on are left out, keys and sessions are in."""
    uid, binary, json, when = ("text", "blob", "text", "datetime") if is_sqlite else ("uuid", "bytea", "jsonb", "timestamptz")
    owner = "" if is_new else " not null"
    more = f", device_id {uid}, firmware_version varchar(20) not null default '', vendor_profile_id integer not null default 0" if is_new else ""
    text = f"""
        create table __diesel_schema_migrations (version varchar(50) primary key, run_on timestamp not null default current_timestamp);
        create table tenant (id {uid} primary key, created_at {when}, name varchar(100) not null, description text, tags {json});
        create table application (id {uid} primary key, tenant_id {uid} not null references tenant, name varchar(100) not null, tags {json});
        create table device_profile (id {uid} primary key, tenant_id {uid}{owner}, name varchar(100) not null, region varchar(10),
            supports_otaa boolean not null, allow_roaming boolean not null, payload_codec_script text{more});
        create table device (dev_eui {binary} primary key, application_id {uid} not null, device_profile_id {uid} not null,
            name varchar(100), is_disabled boolean not null default false, tags {json} not null default '{{}}', join_eui {binary},
            device_session {binary});
        create table device_keys (dev_eui {binary} primary key, nwk_key {binary}, app_key {binary});
    """
    text += "".join(f"insert into __diesel_schema_migrations (version) values ('{v}');"
                    for v in MIGRATIONS_V4 + ([MIGRATION_2025_11] if is_new else []))
    text += "".join(f"insert into tenant (id, name) values ('{i}', '{n}');" for n, i in TENANTS.items())
    text += "".join(f"insert into application (id, tenant_id, name) values ('{i}', '{TENANTS[t]}', '{n}');"
                    for n, (i, t) in APPLICATIONS.items())
    return text + "".join(f"insert into device_profile (id, tenant_id, name, supports_otaa, allow_roaming) values "
                          f"('{i}', '{TENANTS['city']}', '{n}', {o}, {r});" for n, (i, o, r) in PROFILES.items())


def tables_v3():
    text = """
        create table schema_migrations (version bigint not null primary key, dirty boolean not null);
        insert into schema_migrations values (27, false);
        create table device_profile (device_profile_id uuid primary key, supports_join boolean not null, rf_region varchar(20));
        create table device (dev_eui bytea primary key, device_profile_id uuid not null, service_profile_id uuid not null,
            routing_profile_id uuid, skip_fcnt_check boolean, mode char(1), is_disabled boolean not null default false);
    """
    return text + "".join(f"insert into device_profile values ('{i}', {o}, 'EU868');" for i, o, _ in PROFILES.values())


def tables_v3_names():
    text = """
        create extension hstore;
        create table schema_migrations (version bigint not null primary key, dirty boolean not null);
        insert into schema_migrations values (62, false);
        create table organization (id bigserial primary key, name varchar(100) not null, display_name varchar(100));
        create table application (id bigserial primary key, name varchar(100) not null, organization_id bigint not null);
        create table device_profile (device_profile_id uuid primary key, organization_id bigint, name varchar(100) not null);
        create table device (dev_eui bytea primary key, application_id bigint not null, device_profile_id uuid not null,
            name varchar(100), tags hstore, app_s_key bytea);
    """
    for t in TENANTS:
        text += f"insert into organization (name) values ('{t}');"
    for n, (_, t) in APPLICATIONS.items():
        text += f"insert into application (name, organization_id) select '{n}', id from organization where name = '{t}';"
    return text + "".join(f"insert into device_profile values ('{i}', 1, '{n}');" for n, (i, _, _) in PROFILES.items())


def device_v4(eui, application="lamps", profile="otaa", disabled=False, tags="{}", is_sqlite=False):
    return (f"insert into device (dev_eui, application_id, device_profile_id, is_disabled, tags) values ({_bytes(eui, is_sqlite)}, "
            f"'{APPLICATIONS[application][0]}', '{PROFILES[profile][0]}', {disabled}, '{tags}');")


def device_v3(eui, tenant="city", profile="otaa", disabled=False):
    return (f"insert into device (dev_eui, device_profile_id, service_profile_id, is_disabled) values ('\\x{eui}', "
            f"'{PROFILES[profile][0]}', '{SERVICES[tenant]}', {disabled});")


def device_v3_names(eui, application="lamps", profile="otaa", tags=""):
    return (f"insert into device (dev_eui, application_id, device_profile_id, tags) select '\\x{eui}', id, '{PROFILES[profile][0]}', "
            f"'{tags}' from application where name = '{application}';")


class SQLite:
    def __init__(self, path, is_new=True):
        self.path = path
        self.sql(tables_v4(is_new, is_sqlite=True))

    def sql(self, text):
        db = sqlite3.connect(self.path)
        db.executescript(text)
        db.close()
