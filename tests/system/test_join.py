"""fedroam join, renew, wallet, leave, export: one machine is a federation, folders of another become its members. TOML is read by
tomllib, certificates by openssl and curl, and ends of the program come by SIGKILL at any moment."""
import base64
import datetime
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request

import pytest

from fed import BIN, ENV, SANITIZER_EXIT, SOURCE, Daemon, Federation, free_port, go_build, tool, wait_until

sys.path.insert(0, str(SOURCE / "tests" / "support"))
from gateway_player import Device  # noqa: E402

LONG = bool(os.environ.get("FR_LONG"))
APP_KEY, JOIN_EUI, DEVICE = "2b7e151628aed2a6abf7158809cf4f3c", "70b3d57ed0000100", "70b3d57ed0000001"
CHIRPSTACK = '[logging]\nlevel = "info"\n\n[network]\nnet_id = "000013"\nenabled_regions = ["eu868"]\n'
REGION = """[[regions]]
id = "eu868"
common_name = "EU868"
[regions.gateway]
force_gws_private = false
[regions.gateway.backend]
enabled = "mqtt"
[regions.gateway.backend.mqtt]
topic_prefix = "eu868"
servers = [ "tcp://localhost:1883", # the broker
]
[[regions.gateway.channels]]
frequency = 868_100_000
spreading_factors = [7, 8, 9]
[[regions.gateway.channels]]
frequency = 868300000
"""


class Member:
    """A wallet, and the command line on its machine."""

    def __init__(self, fed, name="wallet"):
        self.fed, self.folder = fed, fed.folder / name
        self.chirpstack = fed.folder / f"{name}-chirpstack"

    def run(self, *args, code=0, stdin=None, env=None):
        done = subprocess.run([str(BIN / "fedroam"), *map(str, args), "--dir", str(self.folder)], input=stdin, text=True,
                              env=env or ENV, capture_output=True, timeout=120, check=False)
        assert done.returncode != SANITIZER_EXIT, done.stderr
        assert code is None or done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def join(self, token, *args, **more):
        return self.run("join", token, "--broker-address", "127.0.0.1", *args, **more)

    def json(self, *args):
        return json.loads(self.run("-o", "json", *args).stdout)

    def pairs(self, fed="fed.test"):
        return {p["name"]: p for p in self.json("wallet", "show", fed)}

    def has_chirpstack(self, text=CHIRPSTACK):
        self.chirpstack.mkdir(exist_ok=True)
        (self.chirpstack / "chirpstack.toml").write_text(text)
        (self.chirpstack / "region_eu868.toml").write_text(REGION)
        return ["--lns", "chirpstack-v4", "--lns-dir", self.chirpstack]

    def union(self):
        """ChirpStack v4 reads every file of its folder as one text."""
        return tomllib.loads("\n".join(p.read_text() for p in sorted(self.chirpstack.glob("*.toml"))))


def token(fed, *args, member="acme", profile="ns,doh"):
    return fed.cli("token", "create", "--member", member, "--profile", profile, *args).stdout.strip()


def certs(fed, member="acme", *, status="issued"):
    return [c for c in fed.json("cert", "list", "--member", member) if c["status"] == status]


def devices(fed, member="acme"):
    return next(m["devices"] for m in fed.json("member", "list") if m["id"] == member)


def is_pair(folder, name):
    """Do key and chain on disk belong together? openssl says."""
    read = lambda *args: subprocess.run([tool("openssl"), *args], capture_output=True, check=True).stdout
    return read("pkey", "-in", f"{folder}/{name}.key", "-pubout") == \
        read("x509", "-in", f"{folder}/{name}.chain.pem", "-noout", "-pubkey")


@pytest.fixture(scope="module")
def fed(tmp_path_factory):
    f = Federation(tmp_path_factory.mktemp("fed"))
    f.init()
    f.member("acme", "000013", "127.0.0.1:8005")
    f.member("umbra", "000014", "127.0.0.2:8006")
    f.start_broker()
    yield f
    f.stop()


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """What ChirpStack v3 would make of its roaming tables: with its TOML library, and Go's TLS for the files named in them."""
    program = go_build(SOURCE / "tests/system/toml/roaming.go", tmp_path_factory.mktemp("go"))

    def read(text, *options):
        done = subprocess.run([program, *options], input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return read


# --- ChirpStack v4 ---

def test_join_makes_a_home_network_of_chirpstack(fed, reader):
    m = Member(fed, "home")
    options = [*m.has_chirpstack(), "--peer", "000014", "--listen", "0.0.0.0:8005"]
    text = token(fed, "--host", "lns1")
    before = {p: p.read_bytes() for p in m.chirpstack.iterdir()}

    m.join(text, *options, "--dry-run")
    assert not m.folder.exists() and {p: p.read_bytes() for p in m.chirpstack.iterdir()} == before

    said = json.loads(m.join("-", "-o", "json", *options, stdin=text + "\n").stdout)
    assert said["changed"] and len(said["certificate"]) == 2
    assert any("home network 000013 for devices that visit 000014" in w for w in said["works"])
    assert any("visited side" in w for w in said["waits"]) and not any("other federations" in w for w in said["waits"])
    entry = m.folder / "fed.test"
    for name in ("ns-000013", "doh-acme"):
        assert (entry / f"{name}.key").stat().st_mode & 0o777 == 0o600
        assert (entry / f"{name}.key").read_text().startswith("-----BEGIN PRIVATE KEY-----")  # PKCS#8, which v4 wants
        assert is_pair(entry, name)
        subprocess.run([tool("openssl"), "verify", "-x509_strict", "-CAfile", entry / "root.pem", "-untrusted",
                        entry / f"{name}.chain.pem", entry / f"{name}.chain.pem"], check=True, capture_output=True)
    assert {c["host"] for c in certs(fed)} == {"lns1"} and len(certs(fed)) == 2

    toml = m.union()
    files = {"ca_cert": f"{entry}/root.pem", "tls_cert": f"{entry}/ns-000013.chain.pem", "tls_key": f"{entry}/ns-000013.key"}
    assert toml["backend_interfaces"] == {"bind": "0.0.0.0:8005", **files}
    assert toml["roaming"] == {
        "resolve_net_id_domain_suffix": ".netid.fed.test:8005",
        "servers": [{"net_id": "000014", "passive_roaming_lifetime": "24h", "server": "https://000014.netid.fed.test:8006", **files}]}
    assert toml["network"]["net_id"] == "000013" and len(toml["regions"]) == 1
    assert reader((m.chirpstack / "fedroam.toml").read_text(), "-v4") == {
        "bind": "0.0.0.0:8005", "suffix": ".netid.fed.test:8005", "servers": {"000014": {
            "seconds": 86400, "scheme": "https", "host": "000014.netid.fed.test", "port": "8006", "passive": False}}}
    assert [p.name for p in m.chirpstack.iterdir() if p not in before] == ["fedroam.toml"]

    stamp = {p: (p.stat().st_mtime_ns, p.lstat().st_ino) for p in [*m.folder.rglob("*"), *m.chirpstack.iterdir()]}
    again = json.loads(m.join(text, "-o", "json", *options).stdout)
    assert again["changed"] is False and len(certs(fed)) == 2
    changed = {p for p in [*m.folder.rglob("*"), *m.chirpstack.iterdir()]
               if stamp.get(p) != (p.stat().st_mtime_ns, p.lstat().st_ino)}
    assert {p.name for p in changed} <= {"served", "fed.test", "home"}, changed
    found = fed.run("resolve", "--config", m.folder / "resolver.yaml", DEVICE, code=None)
    assert found.returncode == 7, found.stderr  # an answer: the federation has no such device

    assert tomllib.loads(m.run("export", "chirpstack-v4").stdout)["roaming"] == toml["roaming"]
    m.run("leave", "fed.test", "--yes")


@pytest.mark.parametrize("text, words", [
    (CHIRPSTACK.replace("000013", "000000"), ["chirpstack.toml:5", "000000", 'net_id = "']),
    (CHIRPSTACK.replace('net_id = "000013"\n', ""), ["chirpstack.toml:4", "not set", "000000"]),
    (CHIRPSTACK + "\n[roaming.default]\nenabled = true\n", ["chirpstack.toml:8", "set by hand", "lines 8 to 9"]),
    (CHIRPSTACK + '\n[backend_interfaces]\nbind = ""\n', ["chirpstack.toml:8", "backend_interfaces"]),
    (CHIRPSTACK + "\n[network]\n", ["chirpstack.toml:8", "chirpstack.toml:4", "already"]),
    (CHIRPSTACK + "\nx = [1, \n", ["chirpstack.toml:9", "value"]),
])
def test_what_chirpstack_could_not_start_with_is_refused_before_anything_is_asked(fed, text, words):
    m = Member(fed, "refused")
    options = m.has_chirpstack(text)
    n = len(certs(fed))
    done = m.join(token(fed, profile="ns"), *options, code=None)
    assert done.returncode in (9, 65), done.stderr
    for word in words:
        assert word in done.stderr, f"{word}: {done.stderr}"
    assert len(certs(fed)) == n and not (m.chirpstack / "fedroam.toml").exists()
    assert not (m.folder / "fed.test").exists()


def test_a_foreign_netid_is_told_apart_and_the_token_is_good_for_the_next_run(fed):
    m = Member(fed, "foreign")
    options = m.has_chirpstack(CHIRPSTACK.replace("000013", "000015"))
    text = token(fed, profile="ns")
    done = m.join(text, *options, code=9)
    assert "000015" in done.stderr and 'net_id = "000013"' in done.stderr and "chirpstack.toml:5" in done.stderr
    assert not (m.chirpstack / "fedroam.toml").exists()
    m.has_chirpstack()
    m.join(text, *options)
    assert m.union()["backend_interfaces"]["bind"] == "0.0.0.0:8005"
    (m.chirpstack / "fedroam.toml").write_text("# mine\n")
    assert "not written by fedroam" in m.join(text, *options, code=9).stderr
    (m.chirpstack / "fedroam.toml").unlink()
    m.run("leave", "fed.test", "--yes")


def test_chirpstack_v3_is_told_what_to_put_where(fed, reader):
    m = Member(fed, "v3")
    said = json.loads(m.join(token(fed, profile="ns"), "-o", "json", "--lns", "chirpstack-v3", "--peer", "000014:8009").stdout)
    block = tomllib.loads(said["block"][0])
    files = {"ca_cert": f"{m.folder}/fed.test/root.pem", "tls_cert": f"{m.folder}/fed.test/ns-000013.chain.pem",
             "tls_key": f"{m.folder}/fed.test/ns-000013.key"}
    assert block == {"roaming": {
        "resolve_netid_domain_suffix": ".netid.fed.test:8005", "api": {"bind": "0.0.0.0:8005", **files},
        "servers": [{"net_id": "000014", "passive_roaming": True, "passive_roaming_lifetime": "24h",
                     "server": "https://000014.netid.fed.test:8009", **files}]}}
    assert reader(said["block"][0]) == {"bind": "0.0.0.0:8005", "suffix": ".netid.fed.test:8005", "servers": {"000014": {
        "seconds": 86400, "scheme": "https", "host": "000014.netid.fed.test", "port": "8009", "passive": True}}}
    assert any("chirpstack-network-server.toml" in n and 'net_id="000013"' in n for n in said["next"])
    assert tomllib.loads(m.run("export", "chirpstack-v3").stdout) == block
    m.run("leave", "fed.test", "--yes")


def test_the_key_is_its_readers(fed):
    m = Member(fed, "owner")
    options = m.has_chirpstack()
    if os.geteuid() != 0:
        assert "sudo" in m.join(token(fed, profile="ns"), *options, "--owner", "65534", code=77).stderr
        return
    m.join(token(fed), *options, "--owner", "65534")
    key = m.folder / "fed.test" / "ns-000013.key"
    assert (key.stat().st_uid, key.stat().st_mode & 0o777) == (65534, 0o600)
    assert (m.folder / "fed.test" / "doh-acme.key").stat().st_uid == 0
    m.run("renew", "--all", "--now")
    assert (key.stat().st_uid, key.stat().st_mode & 0o777) == (65534, 0o600)
    assert "no user" in m.join(token(fed), "--owner", "nobody-of-that-name", code=7).stderr
    m.run("leave", "fed.test", "--yes")


# --- what is not believed ---

def facts(text):
    form, middle, secret = text.split(".")
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))), secret


def forge(text, secret=None, **changes):
    old, own = facts(text)
    middle = base64.urlsafe_b64encode(json.dumps({**old, **changes}).encode()).decode().rstrip("=")
    return f"FR1.{middle}.{secret or own}"


def test_another_root_is_never_shown_the_token(fed):
    m = Member(fed, "root")
    text = token(fed, profile="doh")
    n = len(fed.json("token", "list"))
    done = m.join(forge(text, root="00" * 32), code=4)
    assert "do not go on" in done.stderr and facts(text)[1] not in done.stderr
    assert not (m.folder / "fed.test").exists() and len(fed.json("token", "list")) == n
    log = (fed.folder / "broker.log").read_text()
    assert f'token:{facts(text)[0]["id"]}' not in log
    m.join(text)
    other = m.join(forge(text, root="11" * 32), code=9)
    assert "another root" in other.stderr
    m.run("leave", "fed.test", "--yes")


def test_tokens_that_are_none_or_not_good(fed):
    m = Member(fed, "bad")
    text = token(fed, profile="doh")
    for bad in ("x", "FR1.e30.AAAA", text[:-9], text + ".x", forge(text, fed="../x.y"), forge(text, est="http://ca.fed.test/"),
                forge(text, profiles=["broker"]), forge(text, id="zz"), "A" * 5000):
        done = m.join(bad, code=65)
        assert "token" in done.stderr and text.split(".")[2] not in done.stderr
    assert "version" in m.join(text.replace("FR1.", "FR2."), code=65).stderr
    done = m.join(forge(text, secret="A" * 43), code=4)
    assert "not accepted" in done.stderr and "new one" in done.stderr
    m.join(text)
    second = Member(fed, "bad2")
    assert "used by another machine" in second.join(text, code=4).stderr
    assert "used by another machine" in second.join(text, code=4).stderr
    dead = forge(token(fed, profile="doh"), est=f"https://ca.fed.test:{free_port()}/.well-known/est")
    assert second.join(dead, code=10).stderr
    m.run("leave", "fed.test", "--yes")


def test_join_waits_for_approval(fed):
    m = Member(fed, "approval")
    text = token(fed, "--approval", profile="doh")
    done = m.join(text, "--wait", "0s", code=6)
    assert "approv" in done.stderr
    joining = subprocess.Popen([str(BIN / "fedroam"), "join", text, "--dir", str(m.folder), "--broker-address", "127.0.0.1"],
                               env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert any("asking again" in line for line in joining.stderr)
    fed.cli("token", "approve", facts(text)[0]["id"])
    assert joining.wait(60) == 0, joining.stderr.read()
    joining.stderr.close()
    m.run("leave", "fed.test", "--yes")


# --- ended at any moment ---

def end_somewhere(command, most):
    """Runs it and kills it after a time below `most` seconds; whether it came to its own end."""
    p = subprocess.Popen(command, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert p.wait(random.uniform(0, most)) == 0
        return True
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()
        return False


def end_behind(command, step):
    """Runs a join and kills it a moment after it said that this step was done (0: before the first is)."""
    p = subprocess.Popen(command, env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while step and not (line := p.stderr.readline()).startswith(f"[{step}/"):
        assert line.startswith("["), line
    time.sleep(random.uniform(0, 0.06))
    p.kill()
    p.communicate()


def test_killed_at_every_step_join_goes_on_and_gets_exactly_one_certificate_of_each(fed):
    """So no token is ever spent for nothing; and what leaves comes to its end, too."""
    killed, i = 0, 0
    while killed < (500 if LONG else 20):
        i += 1
        m = Member(fed, f"killed{i}")
        options = [*m.has_chirpstack(), "--peer", "000014"]
        text = token(fed, "--host", f"killed{i}")
        command = [str(BIN / "fedroam"), "join", text, "--dir", str(m.folder), "--broker-address", "127.0.0.1", *map(str, options)]
        for step in range(9):
            end_behind(command, step)
            killed += 1
            if m.chirpstack.exists():
                m.union()
        m.join(text, *options)
        mine = [c for c in fed.json("cert", "list", "--member", "acme") if c["host"] == f"killed{i}"]
        assert sorted((c["profile"], c["status"]) for c in mine) == [("doh", "issued"), ("ns", "issued")], mine
        for name in ("ns-000013", "doh-acme"):
            assert is_pair(m.folder / "fed.test", name)
        assert not list((m.folder / "fed.test" / "pending").iterdir())
        assert m.union()["roaming"]["servers"][0]["net_id"] == "000014"
        leave = [str(BIN / "fedroam"), "leave", "fed.test", "--yes", "--dir", str(m.folder)]
        for _ in range(2):
            if (m.folder / "fed.test" / "wallet.yaml").exists():
                killed += not end_somewhere(leave, 0.3)
        if (m.folder / "fed.test" / "wallet.yaml").exists():
            m.run("leave", "fed.test", "--yes")
        assert not (m.folder / "fed.test").exists() and not (m.chirpstack / "fedroam.toml").exists()
        assert {c["status"] for c in fed.json("cert", "list", "--member", "acme") if c["host"] == f"killed{i}"} == {"revoked"}


def test_killed_anywhere_a_renewal_leaves_key_and_chain_of_one_certificate(fed):
    m = Member(fed, "rekeyed")
    m.join(token(fed, "--host", "rekeyed"))
    entry, before = m.folder / "fed.test", m.pairs()
    command = [str(BIN / "fedroam"), "renew", "--all", "--rekey", "--key-after", "0s", "--dir", str(m.folder)]
    for _ in range(200 if LONG else 6):
        end_somewhere(command, 0.6)
        for name in ("ns-000013", "doh-acme"):
            assert is_pair(entry, name)
    m.run("renew", "--all", "--rekey", "--key-after", "0s")
    after = m.pairs()
    assert all(after[name]["serial"] != before[name]["serial"] for name in before)
    assert not list((entry / "pending").iterdir())
    assert len(list((entry / "pairs").glob("ns-000013.*"))) == 1
    m.run("leave", "fed.test", "--yes")


# --- renewal ---

def pins(fed, cert):
    answer = fed.query("_ns.000013.netid.fed.test", "TLSA", cert)
    return {rr.cert.hex() for rrset in answer.answer for rr in rrset}


def spki(path):
    der = subprocess.run(f"openssl x509 -in {shlex.quote(str(path))} -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum",
                         shell=True, capture_output=True, text=True, check=True).stdout
    return der.split()[0]


def later(days):
    """A clock that is ahead, for one command."""
    lib = subprocess.run([tool("faketime"), "now", "sh", "-c", "echo $LD_PRELOAD"], capture_output=True, text=True,
                         check=True).stdout.strip()
    return dict(ENV, LD_PRELOAD=lib, FAKETIME=f"+{days}d", ASAN_OPTIONS=ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0")


def test_renewal_at_two_thirds_keeps_the_key(fed):
    m = Member(fed, "renewed")
    m.join(token(fed, profile="ns"), "--exec", f"echo once >> {fed.folder}/ran")
    entry = m.folder / "fed.test"
    key, first = (entry / "ns-000013.key").read_bytes(), m.pairs()["ns-000013"]
    life = [datetime.datetime.fromisoformat(first[k]) for k in ("not_before", "not_after", "renewal")]
    assert 0.66 < (life[2] - life[0]) / (life[1] - life[0]) < 0.72
    assert m.json("renew", "--all")["good"] and m.json("renew", "--all", "--dry-run")["changed"] is False
    assert not (fed.folder / "ran").exists()
    said = json.loads(m.run("-o", "json", "renew", "--all", env=later(22)).stdout)
    assert len(said["renewed"]) == 1 and len(said["ran"]) == 1, said
    second = m.pairs()["ns-000013"]
    assert second["serial"] != first["serial"] and (entry / "ns-000013.key").read_bytes() == key
    assert m.json("renew", "--all")["renewed"] == []
    assert (fed.folder / "ran").read_text() == "once\n"
    m.run("leave", "fed.test", "--yes")


def test_a_new_key_is_known_before_it_is_used(fed):
    m = Member(fed, "newkey")
    m.join(token(fed, "--host", "newkey"))
    entry = m.folder / "fed.test"
    doh = type("Cert", (), {"chain": entry / "doh-acme.chain.pem", "key": entry / "doh-acme.key"})
    old = spki(entry / "ns-000013.chain.pem")
    said = m.json("renew", "--fed", "fed.test", "--rekey", "--key-after", "12h")
    assert len(said["renewed"]) == 2
    assert spki(entry / "ns-000013.chain.pem") == old and m.pairs()["ns-000013"]["new_key_from"]
    assert m.json("renew", "--all")["installed"] == []
    waiting, = set(pins(fed, doh)) & {spki(p / "chain.pem") for p in (entry / "pairs").glob("ns-000013.*")} - {old}
    assert {old, waiting} <= pins(fed, doh)
    assert json.loads(m.run("-o", "json", "renew", "--all", env=later(1)).stdout)["installed"]
    assert spki(entry / "ns-000013.chain.pem") == waiting and is_pair(entry, "ns-000013")
    m.run("leave", "fed.test", "--yes")


def test_the_command_waits_for_its_time_of_the_day(fed):
    m = Member(fed, "window")
    ran = fed.folder / "ran-in-window"
    now = datetime.datetime.now()
    away = [(now + datetime.timedelta(hours=h)).strftime("%H:%M") for h in (5, 6)]
    m.join(token(fed, profile="doh"), "--exec", f"touch {ran}", "--restart-window", "-".join(away))
    said = m.json("renew", "--all", "--now")
    assert said["ran"] == [] and away[0] in said["waiting"][0] and not ran.exists()
    m.join(token(fed, profile="doh"), "--restart-window", "00:00-23:59", code=0)
    m.run("renew", "--all", "--now")
    assert ran.exists() or now.strftime("%H:%M") == "23:59"
    for bad in ("2-4", "02:00", "02:00-02:00", "24:00-01:00"):
        m.join(token(fed, profile="doh"), "--restart-window", bad, code=65)
    m.run("leave", "fed.test", "--yes")


def test_what_cannot_be_renewed_says_why_and_by_its_exit_code(fed):
    m = Member(fed, "revoked")
    m.run("renew", "--all", code=7)
    m.join(token(fed, profile="doh", member="umbra"))
    fed.cli("cert", "revoke", m.pairs()["doh-umbra"]["serial"])
    assert m.run("renew", "--all", "--now", code=None).returncode in (4, 5)
    assert "--local" in m.run("leave", "fed.test", "--yes", code=None).stderr
    m.run("leave", "fed.test", "--yes", "--local")
    assert m.json("wallet", "list") == []
    for wrong in (["renew"], ["renew", "--all", "--daemon"], ["renew", "--daemon", "--dry-run"], ["renew", "--all", "--key-after", "x"]):
        m.run(*wrong, code=64)


def test_a_certificate_that_is_over_is_renewed_by_grace_alone(tmp_path):
    fed = Federation(tmp_path).init()
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.start_broker()
    m, future = Member(fed), later(31)
    m.join(token(fed, profile="doh"))
    fed.stop()
    broker = Daemon("fedroam-broker", ["--config", fed.config], tmp_path / "future.log", env=future)
    try:
        wait_until(lambda: fed.curl_plain("/readyz").stdout.endswith("200"), 20, "the broker of next month")
        done = m.run("renew", "--all", code=8, env=future)
        assert "is over" in done.stderr and "fedroam grace open" in done.stderr
        until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=33)).strftime("%Y-%m-%d")
        opened = subprocess.run([str(BIN / "fedroam"), "--state", str(fed.state), "grace", "open", "--all", "--until", until,
                                 "--reason", "a month without a broker"],
                                env=future, capture_output=True, text=True, check=False)
        assert opened.returncode == 0, opened.stderr
        m.run("renew", "--all", env=future)
        assert m.run("renew", "--all", env=future).stdout.startswith("good")
    finally:
        broker.stop()


def test_the_daemon_renews_what_becomes_due(fed):
    m = Member(fed, "daemon")
    m.join(token(fed, profile="doh"))
    before = m.pairs()["doh-acme"]["serial"]
    env = later(22)
    p = subprocess.Popen([str(BIN / "fedroam"), "renew", "--daemon", "--dir", str(m.folder)], env=env, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: m.pairs()["doh-acme"]["serial"] != before, 30, "a renewal")
    finally:
        p.send_signal(signal.SIGTERM)
        p.wait(20)
    m.run("leave", "fed.test", "--yes")


# --- fedroam-ns, several federations, leaving ---

def test_fedroam_ns_starts_with_what_join_wrote_and_is_a_home(fed):
    m = Member(fed, "ns")
    port, admin = free_port(), free_port()
    m.folder.mkdir()
    devices = m.folder / "devices.yaml"
    devices.touch(mode=0o600)
    devices.write_text(f'devices:\n  - {{deveui: "{DEVICE}", joineui: "{JOIN_EUI}", app_key: "{APP_KEY}"}}\n')
    own = f"""# what the administrator wrote stays
netid: "000013"   # ours
backend: {{address: 127.0.0.1, port: {port}}}
admin: {{address: 127.0.0.1, port: {admin}}}
devices: devices.yaml
state: state
map_size: 1GiB
"""
    (m.folder / "ns.yaml").write_text(own)
    fed.devices("000013", [DEVICE])
    said = json.loads(m.join(token(fed, "--host", "ns"), "--lns", "fedroam", "--listen", f"127.0.0.1:{port}", "-o", "json").stdout)
    assert any("--check" in w for w in said["works"])
    assert any("let one lead to the other" in n for n in said["next"])  # 8005 is what the federation says
    assert (m.folder / "ns.yaml").read_text().startswith(own)
    server = fed.daemon("fedroam-ns", "--config", m.folder / "ns.yaml")

    def is_ready():
        assert server.is_running(), server.text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=5) as r:
                return r.read().strip() == b"ready"
        except OSError:
            return False
    wait_until(is_ready, 20, "fedroam-ns")
    peer = fed.cert("ns", member="umbra", netid="000014")
    dev = Device(DEVICE, JOIN_EUI, APP_KEY, nonce=0)
    ask = {"ProtocolVersion": "1.0", "SenderID": "000014", "ReceiverID": "000013", "TransactionID": 7, "MessageType": "PRStartReq",
           "PHYPayload": dev.join_request().hex(),
           "ULMetaData": {"DevEUI": DEVICE, "DataRate": 5, "ULFreq": 868.1, "RecvTime": "2026-01-01T00:00:00Z", "RFRegion": "EU868",
                          "GWCnt": 1, "GWInfo": [{"ID": "01020304", "RSSI": -60, "SNR": 5.5, "ULToken": "c0ffee", "DLAllowed": True}]}}
    done = subprocess.run([tool("curl"), "-sS", "--cacert", str(fed.root), "--cert", str(peer.chain), "--key", str(peer.key),
                           "--resolve", f"000013.netid.fed.test:{port}:127.0.0.1", "-H", "content-type: application/json",
                           "--data-binary", "@-", f"https://000013.netid.fed.test:{port}/"], input=json.dumps(ask).encode(),
                          capture_output=True, check=False)
    answer = json.loads(done.stdout)
    assert answer["Result"]["ResultCode"] == "Success", done.stdout
    assert dev.accept(bytes.fromhex(answer["PHYPayload"])).net_id == "000013"
    m.run("renew", "--all", "--rekey", "--key-after", "0s")  # taken over without a signal
    new = subprocess.run([tool("openssl"), "x509", "-in", m.folder / "fed.test" / "ns-000013.chain.pem", "-noout", "-serial"],
                         capture_output=True, text=True, check=True).stdout

    def shown():
        done = subprocess.run(f"openssl s_client -connect 127.0.0.1:{port} -servername 000013.netid.fed.test -cert {peer.chain} "
                              f"-key {peer.key} </dev/null 2>/dev/null | openssl x509 -noout -serial", shell=True, text=True,
                              capture_output=True, check=False)
        return done.stdout == new
    wait_until(shown, 20, "fedroam-ns to show its new certificate")
    fed.daemons.remove(server)
    assert server.stop() == 0
    assert "1 device withdrawn" in m.run("leave", "fed.test", "--yes").stdout
    assert (m.folder / "ns.yaml").read_text().rstrip() == (own + "federations:").rstrip()


def test_without_an_ns_yaml_join_begins_one_that_fedroam_ns_takes(fed):
    m = Member(fed, "newns")
    port = free_port()
    text = token(fed)
    said = json.loads(m.join(text, "--lns", "fedroam", "--listen", f"127.0.0.1:{port}", "-o", "json").stdout)
    assert any("--check" in w for w in said["works"]) and any("devices.yaml" in n for n in said["next"])
    devices = m.folder / "devices.yaml"
    assert devices.stat().st_mode & 0o777 == 0o600
    subprocess.run([str(BIN / "fedroam-ns"), "--config", m.folder / "ns.yaml", "--check"], env=ENV, check=True)
    devices.write_text(f'devices:\n  - {{deveui: "{DEVICE}", joineui: "{JOIN_EUI}", app_key: "{APP_KEY}"}}\n')
    again = json.loads(m.join(text, "--lns", "fedroam", "-o", "json").stdout)
    assert again["changed"] is False and DEVICE in devices.read_text()
    with open(m.folder / "ns.yaml", "a", encoding="utf-8") as config:
        config.write("gateway: {}\n")
    done = m.join(text, "--lns", "fedroam", code=9)
    assert "gateway" in done.stderr and "run this again" in done.stderr
    m.run("leave", "fed.test", "--yes")
    assert DEVICE in devices.read_text()  # the administrator's by now


def test_a_ns_yaml_of_another_netid_is_refused(fed):
    m = Member(fed, "otherns")
    m.folder.mkdir()
    (m.folder / "ns.yaml").write_text('netid: "000021"\n')
    text = token(fed, profile="ns")
    assert 'netid: "000013"' in m.join(text, "--lns", "fedroam", code=9).stderr
    (m.folder / "ns.yaml").write_text('netid: "000013"\nfederations: [{name: x.y}]\n')
    assert "line 2" in m.join(text, "--lns", "fedroam", code=9).stderr
    (m.folder / "ns.yaml").unlink()
    m.run("leave", "fed.test", "--yes")


def test_two_federations_in_one_wallet(fed, tmp_path):
    second = Federation(tmp_path, name="second.test").init()
    second.member("acme-2", "000013", "127.0.0.1:8005")
    second.member("umbra-2", "000021", "127.0.0.3:8005")
    second.start_broker()
    try:
        m = Member(fed, "two")
        options = m.has_chirpstack()
        m.join(token(fed), *options, "--peer", "000014")
        resolver = m.folder / "resolver.yaml"
        resolver.write_text("# mine\n" + resolver.read_text() + '    only: ["70b3d5"]   # theirs alone\nlookup: {timeout: 4s}\n')
        said = json.loads(m.join(token(second, member="acme-2"), *options, "--peer", "000021", "-o", "json").stdout)
        assert any("peers of other federations than fed.test" in w for w in said["waits"])
        toml, entries = m.union(), [m.folder / name for name in ("fed.test", "second.test")]
        assert [p.name for p in m.chirpstack.glob("fedroam*")] == ["fedroam.toml"]
        assert toml["backend_interfaces"]["ca_cert"] == f"{entries[0]}/root.pem"
        assert [(s["net_id"], s["server"], s["ca_cert"]) for s in toml["roaming"]["servers"]] == [
            ("000014", "https://000014.netid.fed.test:8006", f"{entries[0]}/root.pem"),
            ("000021", "https://000021.netid.second.test:8005", f"{entries[1]}/root.pem")]
        text = resolver.read_text()
        assert text.startswith("# mine\n") and "# theirs alone" in text and "lookup: {timeout: 4s}" in text
        assert text.index("name: fed.test") < text.index("only:") < text.index("name: second.test")
        for name in ("fed.test", "second.test"):
            assert fed.run("resolve", "--config", resolver, "--fed", name, "--netid", "000013", code=None).returncode == 0
        assert [row["federation"] for row in m.json("wallet", "list")] == ["fed.test", "second.test"]
        m.run("wallet", "show", code=64)  # which?
        m.run("leave", "fed.test", "--yes")
        assert m.union()["backend_interfaces"]["ca_cert"] == f"{entries[1]}/root.pem"
        assert "fed.test" not in resolver.read_text().replace("second.test", "")
        assert not entries[0].exists() and certs(second, "acme-2")
        m.run("leave", "second.test", "--yes")
        assert not (m.chirpstack / "fedroam.toml").exists() and not certs(second, "acme-2")
    finally:
        second.stop()


def test_leaving_ends_this_machine_and_no_other(fed):
    fed.devices("000013", [DEVICE])
    one, other = Member(fed, "one"), Member(fed, "other")
    one.join(token(fed, "--host", "one"))
    other.join(token(fed, "--host", "other"))
    one.run("renew", "--all", "--now")
    assert "--yes" in one.run("leave", "fed.test", code=64).stderr
    plan = one.json("leave", "fed.test", "--dry-run")
    assert plan["changed"] is False and any("ns-000013: 2 certificates, 0 devices" in w for w in plan["would"])
    assert one.pairs()
    one.run("leave", "fed.test", "--yes")
    assert {c["host"] for c in certs(fed) if c["host"] in ("one", "other")} == {"other"}
    assert devices(fed) == 1
    unnamed = [Member(fed, f"unnamed{i}") for i in range(2)]  # their tokens name no host
    for m in unnamed:
        m.join(token(fed))
    unnamed[0].run("renew", "--all", "--now")
    assert any("ns-000013: 2 certificates" in w for w in unnamed[0].json("leave", "fed.test", "--dry-run")["would"])
    unnamed[0].run("leave", "fed.test", "--yes")
    assert "000014" in unnamed[1].run("peers", "list").stdout and unnamed[1].json("renew", "--all", "--now")["failed"] == []
    unnamed[1].run("leave", "fed.test", "--yes")
    assert devices(fed) == 1
    assert "1 device withdrawn" in other.run("leave", "fed.test", "--yes").stdout
    assert devices(fed) == 0


def test_exports_are_read_by_others(fed):
    m = Member(fed, "export")
    m.join(token(fed))
    (m.folder / "pass").touch(mode=0o600)
    (m.folder / "pass").write_text("a passphrase\n")
    m.run("export", "pem", "--out", m.folder / "x.pem", code=64)  # which?
    m.run("export", "pem", "--certificate", "ns-000013", "--out", m.folder / "x.pem")
    assert (m.folder / "x.pem").stat().st_mode & 0o777 == 0o600
    m.run("export", "pem", "--certificate", "ns-000013", "--out", m.folder / "x.pem", code=9)
    m.run("export", "p12", "--certificate", "ns-000013", "--passphrase-file", m.folder / "pass", "--out", m.folder / "x.p12")
    done = subprocess.run([tool("openssl"), "pkcs12", "-in", m.folder / "x.p12", "-passin", "pass:a passphrase", "-nodes"],
                          capture_output=True, text=True, check=True).stdout
    assert done.count("BEGIN CERTIFICATE") == 2 and done.count("BEGIN PRIVATE KEY") == 1
    assert subprocess.run([tool("openssl"), "pkcs12", "-in", m.folder / "x.p12", "-passin", "pass:x", "-nodes"],
                          capture_output=True, check=False).returncode != 0
    line = m.run("export", "curl").stdout
    done = subprocess.run(shlex.split(line) + ["-s", "-w", "%{stderr}%{http_code}"], capture_output=True, check=True)
    assert done.stderr == b"200" and done.stdout[3] & 15 == 3  # NXDOMAIN: nobody has that device
    m.run("leave", "fed.test", "--yes")
