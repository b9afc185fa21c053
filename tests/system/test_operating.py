"""docs/operating-a-federation.md, command by command: operator's hosts, the place of the root and a member, in folders of their own."""
import json
import re
import signal
import subprocess

import pytest

from fed import BIN, ENV, SOURCE, Daemon, free_port, wait_until

PAGE = (SOURCE / "docs" / "operating-a-federation.md").read_text()
HOSTS = {"On the broker's host": "broker", "On the new broker's host": "second", "On the member's host": "member", "Where the root is": "root"}


def blocks():
    """(host, commands) of each block to be run: the last line that names a host says where."""
    host = "broker"
    for said, block in re.findall(r"(.*?)```sh\n(.*?)```", PAGE, re.S):
        for _, name in sorted((said.rfind(text), name) for text, name in HOSTS.items() if text in said):
            host = name
        yield host, block


class Host:
    """A machine: /etc, /var, where commands are typed, and one broker at most."""

    def __init__(self, world, name):
        self.world, self.name, self.folder = world, name, world.folder / name
        for sub in ("etc", "var", "own"):
            (self.folder / sub).mkdir(parents=True)
        self.port, self.crl, self.admin = free_port(), free_port(), free_port()
        self.daemon = None

    def here(self, text):
        world = self.world
        if self.name == "member":
            text = re.sub(r"\bfedroam (join|leave)", rf"fedroam \1 --dir {self.folder}/etc", text)
            text = text.replace("fedroam join", f"fedroam join --broker-address 127.0.0.1:{world.hosts['broker'].port}")
            text = text.replace("fedroam test doh", f"fedroam test doh --config {self.folder}/etc/resolver.yaml")
        elif self.name != "root":
            state = f"{self.folder}/var/fed.example"
            text = re.sub(r"\bfedroam (?!--|cert request|restore)(?=[a-z])", f"fedroam --state {state} ", text)
            text = text.replace("fedroam-broker --check", f"fedroam-broker --config {self.folder}/etc/broker.yaml --check")
            text = text.replace("  - name: fed.example\n", f"  - name: fed.example\n    state: {state}\n")
            text = text.replace("\nlisten:", f"\nadmin: {{port: {self.admin}}}\nlisten:")
        text = re.sub(r"exec curl .*", f"exec tee -a {self.folder}/pages", text)
        first = world.hosts["broker"].port
        for there, here in (("/etc/fedroam", f"{self.folder}/etc"), ("/var/lib/fedroam", f"{self.folder}/var"),
                            ("/media/usb", f"{world.folder}/root"), ("/media/new-usb", f"{world.folder}/new-usb"), ("/root/b2", f"{self.folder}/own/b2"), ("/usr/local/bin/page", f"{self.folder}/page"),
                            ("https://broker.fed.example", f"https://broker.fed.example:{first}"), ("[192.0.2.1]", f"['127.0.0.1:{first}']"),
                            ("0.0.0.0, port: 443", f"127.0.0.1, port: {self.port}"), ("0.0.0.0, port: 80,", f"127.0.0.1, port: {self.crl},"),
                            ("/srv/practice", f"{self.folder}/practice"), ("2026a", world.old), ("2027a", world.new),
                            ("2028a", world.next)):
            text = text.replace(there, here)
        return text

    def run(self, block):
        """A block; systemctl is played by this test."""
        said = ""
        for part in re.split(r"^(systemctl .*)\n", block, flags=re.M):
            if part.startswith("systemctl"):
                {"stop": self.stop, "reload": self.reload}.get(part.split()[1], self.start)()
            elif part.strip():
                codes = (0, 2, 3) if part.strip() == "fedroam doctor" else (0,)  # of what it finds on the machine that tests
                done = subprocess.run(["sh", "-eu", "-c", self.here(part)], cwd=self.folder, text=True, capture_output=True, check=False,
                                      env={**ENV, "PATH": f"{BIN}:{ENV['PATH']}"}, stdin=subprocess.DEVNULL, timeout=120)
                assert done.returncode in codes, f"{self.name}: {part}\n{done.stdout}{done.stderr}"
                said += done.stdout
        return said

    def json(self, *args):
        done = subprocess.run([str(BIN / "fedroam"), "--state", str(self.folder / "var" / "fed.example"), "-o", "json", *args], env=ENV,
                              text=True, capture_output=True, check=True)
        return json.loads(done.stdout)

    def start(self):
        self.daemon = Daemon("fedroam-broker", ["--config", self.folder / "etc" / "broker.yaml"], self.folder / "broker.log")
        wait_until(lambda: subprocess.run(["curl", "-sf", f"http://127.0.0.1:{self.admin}/readyz"], capture_output=True,
                                          check=False).returncode == 0, 30, f"the broker:\n{self.daemon.text()}")

    def reload(self):
        before = self.daemon.text().count("broker.reloaded")
        self.daemon.signal(signal.SIGHUP)
        wait_until(lambda: self.daemon.text().count("broker.reloaded") > before, what="the reload")

    def stop(self):
        if self.daemon is not None:
            self.daemon.stop()
            self.daemon = None


class World:
    def __init__(self, folder):
        self.folder, self.old, self.new, self.next = folder, "2026a", "2027a", "2028a"
        (folder / "new-usb").mkdir()
        self.hosts = {}
        for name in HOSTS.values():
            self.hosts[name] = Host(self, name)
        secret = self.hosts["broker"].folder / "backup-passphrase"
        secret.touch(mode=0o600)
        secret.write_text("a passphrase that nobody guesses\n")
        (self.hosts["broker"].folder / "devices.csv").write_text("deveui,comment\n70b3d57ed0000001,the first\n")

    def facts(self, host, block):
        """What stands for itself in the page: names of issuing CAs, a serial, a token's id."""
        if "ca/" in block or "--revoke" in block:
            (self.hosts["root"].folder / f"{self.old}.pem").write_bytes(
                (self.hosts["broker"].folder / "var/fed.example/ca" / f"{self.old}.pem").read_bytes())
        if "SERIAL" in block:
            certs = host.json("cert", "list", "--member", "acme")
            block = block.replace("SERIAL", next(c["serial"] for c in certs if c["profile"] == "doh" and c["status"] == "issued"))
        if "revoke ID" in block:
            block = block.replace("revoke ID", f"revoke {host.json('token', 'list')[0]['id']}")
        return block

    def carry(self):
        """What people carry between the hosts: tokens, requests, certificates."""
        broker, member, second = (self.hosts[name].folder for name in ("broker", "member", "second"))
        for source, target in ((broker / "token", member / "token"), (second / "own/b2/broker-b2.csr", broker / "broker-b2.csr"),
                               (broker / "b2/broker-b2.chain.pem", second / "broker-b2.chain.pem"), (broker / "b2/root.pem", second / "root.pem")):
            if source.exists():
                target.write_bytes(source.read_bytes())

    def names(self):
        if self.hosts["second"].daemon and not self.hosts["broker"].daemon:
            self.next = next((row["name"] for row in self.hosts["second"].json("ca", "list") if row["state"] == "prepared"), self.next)
        if (self.hosts["broker"].folder / "var/fed.example/ca").is_dir() and self.hosts["broker"].daemon:
            for row in self.hosts["broker"].json("ca", "list"):
                if row["kind"] == "issuing" and row["state"] == "prepared":
                    self.new = row["name"]
                elif row["kind"] == "issuing" and row["state"] == "active" and row["name"] != self.new:
                    self.old = row["name"]


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path)
    yield w
    for host in w.hosts.values():
        host.stop()


def test_every_command_of_the_page(world):
    said = {}
    for host, block in blocks():
        machine = world.hosts[host]
        world.names()
        world.carry()
        if "notify ack" in block:
            wait_until(lambda: any(row["id"] == "backup" and row["told"] for row in machine.json("notify", "list")), 30, "the notice to be told")
        if "fedroam promote" in block:
            world.hosts["broker"].stop()
        said[block] = machine.run(world.facts(machine, block))
    assert len(said) > 20
    text = "\n".join(said.values())
    for word in ("lns1", "Acme Networks", "70b3d57ed0000001", "suspended", "the chain holds", "night@acme.example", "tainted", "revoked", world.next,
                 "quiet until the next stage"):
        assert word in text, word
    pages = [json.loads(line) for line in (world.hosts["broker"].folder / "pages").read_text().replace("}{", "}\n{").splitlines()]
    assert {"test", "backup"} <= {page["id"] for page in pages}


def test_the_page_names_files_that_are_there():
    for link in re.findall(r"\]\(([a-z.-]+\.(?:md|yml))\)", PAGE):
        assert (SOURCE / "docs" / link).exists(), link
