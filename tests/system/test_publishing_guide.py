"""docs/publishing-devices.md, command by command, as a member and the operator would type them."""
import os
import re
import subprocess

import pytest

from chirpstack import PAGE, PostgreSQL, device_v4, snippet, tables_v4
from fed import BIN, ENV, SOURCE, Federation

TEXT = PAGE.read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.M | re.S)


class Guide:
    """The page's world on one machine: the operator's commands get --state, the member's its resolver.yaml, and curl the broker's port."""

    def __init__(self, folder):
        self.fed = Federation(folder / "fed", name="fed.example", workers=1)
        self.fed.folder.mkdir()
        self.fed.init()
        self.fed.member("acme", "000013", "127.0.0.1:8005")
        self.fed.member("umbra", "000014", "127.0.0.2:8005")
        cert = self.fed.cert("doh", member="acme")
        self.fed.cli("cert", "set", cert.serial, "--right", "lookup", "--right", "publish")
        self.home, self.etc, self.bin = folder / "home", folder / "etc", folder / "bin"
        for path in (self.home, self.etc, self.bin):
            path.mkdir()
        for path in (cert.root, cert.chain, cert.key):
            (self.home / path.name).symlink_to(path)
        (self.etc / "resolver.yaml").write_text(
            f"federations:\n  - name: fed.example\n    broker: {self.fed.url}\n    addresses: [127.0.0.1]\n"
            f"    ca: {cert.root}\n    certificate: {cert.chain}\n    key: {cert.key}\n")
        self.script("fedroam", f"""case " $* " in
            *" --broker "*) exec {BIN}/fedroam "$@" --config {self.etc}/resolver.yaml ;;
            *" sync chirpstack-"*) exec {BIN}/fedroam "$@" ;;
            *) exec {BIN}/fedroam --state {self.fed.state} "$@" ;;
            esac""")
        self.script("curl", f'exec /usr/bin/curl --fail --resolve "broker.fed.example:{self.fed.port}:127.0.0.1" "$@"')
        self.script("systemctl", 'echo "systemctl $*"')
        self.fed.start_broker()

    def script(self, name, text):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def here(self, text):
        for there, here in (("https://broker.fed.example", f"https://broker.fed.example:{self.fed.port}"), ("/etc/fedroam", str(self.etc)),
                            ("192.0.2.53", "127.0.0.53")):
            text = text.replace(there, here)
        return text

    def run(self, text):
        done = subprocess.run(["sh", "-eu", "-c", self.here(text)], cwd=self.home, text=True, capture_output=True, timeout=60, check=False,
                              env={**ENV, "PATH": f"{self.bin}:{ENV['PATH']}:/usr/sbin", "B": f"https://broker.fed.example:{self.fed.port}"})
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout

    def devices(self):
        return [d["deveui"] for d in self.fed.json("device", "list", "--netid", "000013")]


@pytest.fixture(scope="module")
def guide(tmp_path_factory):
    guide = Guide(tmp_path_factory.mktemp("guide"))
    yield guide
    guide.fed.stop()


def block(word):
    """The one block with this word in it; it is then done."""
    found = [b for b in BLOCKS if word in b]
    assert len(found) == 1, f"{word}: {len(found)} blocks"
    DONE.add(found[0])
    return found[0]


DONE = set()


def test_over_the_api(guide):
    guide.fed.cli("device", "add", "--netid", "000013", "70b3d57ed0000002")
    said = guide.run(block("fedroam device add"))
    assert "1 added" in said and "1 removed" in said and "70b3d57ed0000002" in said
    assert guide.fed.json("device", "releases")[0]["to"] == "umbra"
    rows = re.search(r"```\n(\{\"op\":\"put\".*?)```", TEXT, re.S).group(1)
    (guide.home / "today.ndjson").write_text(rows)
    guide.fed.cli("device", "add", "--netid", "000013", "70b3d57ed0000003")
    guide.fed.cli("device", "add", "--netid", "000014", "70b3d57ed0000004")
    guide.fed.cli("device", "release", "70b3d57ed0000004", "--to", "acme")
    guide.run(block("batch today.ndjson"))
    assert guide.devices() == [f"70b3d57ed000000{i}" for i in (1, 3, 4)]
    assert [row["deveui"] for row in guide.fed.json("device", "releases")] == ["70b3d57ed0000003"]
    guide.fed.cli("device", "remove", *guide.devices())
    said = guide.run(block("curl --cacert"))
    assert guide.devices() == ["70b3d57ed0000001"] and '"line":1' in said.replace(" ", "")


def test_a_list(guide):
    (guide.home / "devices.csv").write_text("deveui,comment\n70B3D57ED0000021,a\n70b3d57ed0000022,b\n\n")
    guide.run(block("awk"))
    assert {"70b3d57ed0000021", "70b3d57ed0000022"} < set(guide.devices())
    guide.run(re.search(r"`(fedroam zone import --netid 000013 --replace devices.csv)`", TEXT).group(1) + " --yes")
    assert guide.devices() == ["70b3d57ed0000021", "70b3d57ed0000022"]


def test_a_name_server(guide):
    """Both sides' commands; what BIND and Knot make of the page's files is in system.transfer_in."""
    guide.run(block("tsig-keygen"))
    assert (guide.home / "acme.key").stat().st_mode & 0o777 == 0o600
    said = guide.run(block("--tsig-key acme.key"))
    assert "deveui.acme.example" in said
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out",
                    "acme-ca.pem", "-days", "2", "-subj", "/CN=ns1.acme.example"], cwd=guide.home, check=True, capture_output=True)
    (guide.home / "fullchain.pem").symlink_to("acme-ca.pem")
    guide.run(block("--pin"))
    guide.run(re.search(r"`(fedroam zone primary refresh --member acme --full)`", TEXT).group(1))
    own = block("zone primary show --broker").replace("--reason 'sold'", "--reason 'sold' 2>&1 || test $? = 9")
    said = guide.run(own)
    assert "deveui.acme.example of acme: " in said and "no zone of this member waits" in said
    waits = re.search(r"`(fedroam zone accept --member acme)`", TEXT).group(1)
    assert "no zone of this member waits" in guide.run(f"{waits} 2>&1 || test $? = 9")
    guide.run("fedroam zone primary remove --member acme --zone deveui.acme.example")


def test_sync(guide):
    server = PostgreSQL()
    try:
        server.create("chirpstack", tables_v4())
        server.grant("chirpstack", "ChirpStack v4: a role that may read")
        tag = '{"roaming": "fed.example"}'
        server.sql("chirpstack", "".join(device_v4(f"70b3d57ed00001{i:02x}", tags=tag) for i in range(5)) + device_v4("70b3d57ed00001ff"))
        guide.run(block("chirpstack.dsn").replace("PASSWORD@localhost/", f"s3cret@127.0.0.1:{server.port}/"))
        (guide.etc / "sync.yaml").write_text(guide.here(snippet("# sync.yaml")))
        guide.fed.cli("device", "remove", *guide.devices())
        said = guide.run(block("sync chirpstack-v4"))
        assert "fed.example 000013: 6 devices read, 5 chosen, 0 published" in said and "sent: 5, refused: 0" in said
        assert "left out, not chosen: 1 (70b3d57ed00001ff)" in said
        assert guide.devices() == [f"70b3d57ed00001{i:02x}" for i in range(5)]
        # the unit does the same, with the credential that it loads
        unit = (SOURCE / "zones/sync/systemd/fedroam-sync.service.in").read_text()
        start = re.search(r"^ExecStart=@\w+@/(.*)$", unit, re.M).group(1)
        name, path = re.search(r"^LoadCredential=(\S+?):(\S+)$", unit, re.M).groups()
        text = (guide.etc / "sync.yaml").read_text()
        (guide.etc / "sync.yaml").write_text(re.sub(r"dsn_file: \S+", f"dsn_credential: {name}", text))
        assert f"`dsn_credential: {name}`" in TEXT and os.path.basename(path) == name and (guide.etc / name).exists()
        assert "0 chosen" not in guide.run(f"CREDENTIALS_DIRECTORY={guide.etc} {start}")
        timer = block("systemctl enable").split()[-1]
        assert timer in guide.run(block("systemctl enable")) and (SOURCE / "zones/sync/systemd" / timer).exists()
    finally:
        server.close()


def test_nothing_of_the_page_was_left_out():
    assert len(BLOCKS) > 8 and DONE == set(BLOCKS)


def test_links_of_the_page_lead_somewhere():
    headings = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", TEXT, re.M)}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (PAGE.parent / target).exists(), target
