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
# Profiles may belong to a vendor's device: a migration of another day in each of the two databases.
VENDORS = {"postgresql": "202511111404590000", "sqlite": "202512081354280000"}


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
    """The columns of ChirpStack's own migrations (of device and device_profile those that say who roams, and some that do not; keys and
    sessions, which nobody may read, are there)."""
    uid, binary, json, when = ("text", "blob", "text", "datetime") if is_sqlite else ("uuid", "bytea", "jsonb", "timestamptz")
    now = "current_timestamp"
    owner = "" if is_new else " not null"
    more = f"""
        create table device_profile_vendor (id {uid} primary key, created_at {when} not null, updated_at {when} not null, name text not null,
            vendor_id integer not null, ouis text{'' if is_sqlite else '[]'} not null, metadata {json} not null);
        create table device_profile_device (id {uid} primary key, vendor_id {uid} not null references device_profile_vendor,
            created_at {when} not null, updated_at {when} not null, name varchar(100) not null, description text not null,
            metadata {json} not null);
        alter table device_profile add column device_id {uid} null references device_profile_device;
        alter table device_profile add column firmware_version varchar(20) not null default '';
        alter table device_profile add column vendor_profile_id integer not null default 0;
    """ if is_new else ""
    text = f"""
        create table __diesel_schema_migrations (version varchar(50) primary key, run_on timestamp not null default current_timestamp);
        create table tenant (id {uid} primary key, created_at {when} not null default {now}, updated_at {when} not null default {now},
            name varchar(100) not null, description text not null default '', can_have_gateways boolean not null default true,
            max_device_count integer not null default 0, max_gateway_count integer not null default 0, tags {json} not null default '{{}}');
        create table application (id {uid} primary key, tenant_id {uid} not null references tenant, created_at {when} not null default {now},
            updated_at {when} not null default {now}, name varchar(100) not null, description text not null default '',
            mqtt_tls_cert {binary}, tags {json} not null default '{{}}');
        create table device_profile (id {uid} primary key, tenant_id {uid}{owner} references tenant, created_at {when} not null default {now},
            updated_at {when} not null default {now}, name varchar(100) not null, region varchar(10) not null default 'EU868',
            mac_version varchar(10) not null default '1.0.3', supports_otaa boolean not null, supports_class_b boolean not null default false,
            supports_class_c boolean not null default false, tags {json} not null default '{{}}', payload_codec_script text not null default '',
            description text not null default '', region_config_id varchar(100), allow_roaming boolean not null);
        {more}
        create table device (dev_eui {binary} primary key, application_id {uid} not null, device_profile_id {uid} not null,
            created_at {when} not null default {now}, updated_at {when} not null default {now}, last_seen_at {when},
            name varchar(100) not null default '', description text not null default '', dev_addr {binary},
            enabled_class char(1) not null default 'A', skip_fcnt_check boolean not null default false,
            is_disabled boolean not null default false, tags {json} not null default '{{}}', variables {json} not null default '{{}}',
            join_eui {binary}, secondary_dev_addr {binary}, device_session {binary}, app_layer_params {json} not null default '{{}}');
        create table device_keys (dev_eui {binary} primary key, nwk_key {binary}, app_key {binary});
    """
    text += "".join(f"insert into __diesel_schema_migrations (version) values ('{v}');"
                    for v in MIGRATIONS_V4 + ([VENDORS["sqlite" if is_sqlite else "postgresql"]] if is_new else []))
    text += "".join(f"insert into tenant (id, name) values ('{i}', '{n}');" for n, i in TENANTS.items())
    text += "".join(f"insert into application (id, tenant_id, name) values ('{i}', '{TENANTS[t]}', '{n}');"
                    for n, (i, t) in APPLICATIONS.items())
    return text + "".join(f"insert into device_profile (id, tenant_id, name, supports_otaa, allow_roaming) values "
                          f"('{i}', '{TENANTS['city']}', '{n}', {o}, {r});" for n, (i, o, r) in PROFILES.items())


def tables_v3():
    """The network server's, as its last migrations left them."""
    text = """
        create table schema_migrations (version bigint not null primary key, dirty boolean not null);
        insert into schema_migrations values (27, false);
        create table service_profile (service_profile_id uuid primary key, created_at timestamptz not null default now());
        create table routing_profile (routing_profile_id uuid primary key, created_at timestamptz not null default now(), as_id varchar(255));
        create table device_profile (created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
            device_profile_id uuid primary key, supports_class_b boolean not null default false,
            supports_class_c boolean not null default false, mac_version varchar(10) not null default '1.0.3',
            reg_params_revision varchar(20) not null default 'A', supports_join boolean not null,
            rf_region varchar(20) not null default 'EU868', supports_32bit_fcnt boolean not null default true,
            adr_algorithm_id varchar(100) not null default 'default');
        create table device (dev_eui bytea primary key, created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(), device_profile_id uuid not null, service_profile_id uuid not null,
            routing_profile_id uuid, skip_fcnt_check boolean not null default false, reference_altitude double precision not null default 0,
            mode char(1) not null default 'A', is_disabled boolean not null);
    """
    return text + "".join(f"insert into device_profile (device_profile_id, supports_join) values ('{i}', {o});"
                          for i, o, _ in PROFILES.values())


def tables_v3_names():
    """The application server's."""
    text = """
        create extension hstore;
        create table schema_migrations (version bigint not null primary key, dirty boolean not null);
        insert into schema_migrations values (61, false);
        create table organization (id bigserial primary key, created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(), name varchar(100) not null, display_name varchar(100) not null default '',
            can_have_gateways boolean not null default true, max_device_count integer not null default 0,
            max_gateway_count integer not null default 0);
        create table application (id bigserial primary key, name varchar(100) not null, description text not null default '',
            organization_id bigint not null references organization, service_profile_id uuid, payload_codec text not null default '',
            mqtt_tls_cert bytea);
        create table device_profile (device_profile_id uuid primary key, network_server_id bigint not null default 1,
            organization_id bigint not null references organization, created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(), name varchar(100) not null, payload_codec text not null default '',
            tags hstore, uplink_interval bigint not null default 0);
        create table device (dev_eui bytea primary key, created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(), application_id bigint not null references application,
            device_profile_id uuid not null references device_profile, name varchar(100) not null default '',
            description text not null default '', last_seen_at timestamptz, variables hstore, tags hstore,
            dev_addr bytea not null default '', app_s_key bytea not null default '');
    """
    for t in TENANTS:
        text += f"insert into organization (name) values ('{t}');"
    for n, (_, t) in APPLICATIONS.items():
        text += f"insert into application (name, organization_id) select '{n}', id from organization where name = '{t}';"
    return text + "".join(f"insert into device_profile (device_profile_id, organization_id, name) values ('{i}', 1, '{n}');"
                          for n, (i, _, _) in PROFILES.items())


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
