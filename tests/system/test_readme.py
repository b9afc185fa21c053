"""The README's first deployment, command by command, on one machine: operator and member in folders of their own."""
import os
import re
import subprocess

import pytest
from fed import BIN, ENV, SOURCE, Daemon, free_port, wait_until

README = (SOURCE / "README.md").read_text()
DEVICE = "70b3d57ed0000001"


@pytest.fixture
def world(tmp_path):
    """The README's paths, ports and host name, moved to where a test may use them."""
    w = World(tmp_path)
    yield w
    for daemon in w.daemons:
        daemon.stop()


class World:
    def __init__(self, folder):
        self.folder, self.daemons = folder, []
        self.port, self.backend, self.admin = free_port(), free_port(), [free_port(), free_port()]
        (folder / "etc").mkdir()
        (folder / "var").mkdir()
        (folder / "devices.csv").write_text(f"deveui,comment\n{DEVICE},the first\n")
        (folder / "my-devices.yaml").write_text(
            f'devices:\n  - {{deveui: "{DEVICE}", joineui: "70b3d57ed0000100", app_key: "{"00" * 16}"}}\n')

    def here(self, text):
        """The text with this world's paths, ports and addresses."""
        state = f"{self.folder}/var/fed.example"
        text = re.sub(r"\bfedroam (ca|member|token|zone)", rf"fedroam --state {state} \1", text)
        # public DNS would know the broker; here it is at home
        text = text.replace("fedroam join", f"fedroam join --dir {self.folder}/etc --broker-address 127.0.0.1:{self.port}")
        text = text.replace("--owner fedroam", f"--owner {os.geteuid()}")
        text = text.replace("  - name: fed.example\nlisten:", f"  - name: fed.example\n    state: {state}\n"
                            f"admin: {{port: {self.admin[0]}}}\nlisten:")
        text = text.replace("netid: \"000013\"\n", f"netid: \"000013\"\nstate: {self.folder}/ns\nadmin: {{port: {self.admin[1]}}}\n")
        for there, here in (("/etc/fedroam", f"{self.folder}/etc"), ("broker.fed.example/", f"broker.fed.example:{self.port}/"),
                            ("0.0.0.0, port: 443", f"127.0.0.1, port: {self.port}"), ("port: 8005", f"port: {self.backend}"),
                            ("0.0.0.0, port: 1700", "127.0.0.1, port: 0"), ("install -o fedroam", "install"),
                            ("fedroam resolve", f"fedroam resolve --config {self.folder}/etc/resolver.yaml"),
                            ("fedroam-ns --check", f"fedroam-ns --config {self.folder}/etc/ns.yaml --check")):
            text = text.replace(there, here)
        return text

    def run(self, block):
        """A block of the README; `systemctl enable --now X` starts X."""
        for part in re.split(r"^(systemctl enable --now \S+)\n", block + "\n", flags=re.M):
            if part.startswith("systemctl"):
                self.start(part.split()[-1])
            elif part.strip():
                done = subprocess.run(["sh", "-eu", "-c", self.here(part)], cwd=self.folder, text=True, capture_output=True,
                                      env={**ENV, "PATH": f"{BIN}:{ENV['PATH']}"}, check=False)
                assert done.returncode == 0, f"{part}\n{done.stdout}{done.stderr}"
                self.said = done.stdout

    def start(self, name):
        config = self.folder / "etc" / (name.removeprefix("fedroam-") + ".yaml")
        (self.folder / "ns").mkdir(exist_ok=True, mode=0o700)
        self.daemons.append(Daemon(name, ["--config", config], self.folder / f"{name}.log"))
        admin = self.admin[len(self.daemons) - 1]
        wait_until(lambda: subprocess.run(["curl", "-sf", f"http://127.0.0.1:{admin}/readyz"], capture_output=True,
                                          check=False).returncode == 0, 20, f"{name}:\n{self.daemons[-1].text()}")


def test_first_deployment_as_the_readme_says(world):
    section = README[README.index("## A first deployment"):README.index("## Folders")]
    operator, member, serve = re.findall(r"```sh\n(.*?)```", section, flags=re.S)
    world.run(operator)
    world.run(member)
    assert "000013.netid.fed.example" in world.said and "192.0.2.10:8005" in world.said
    world.run(serve)
    assert not [key for key in (world.folder / "var").rglob("*.key") if key.name.startswith(("ns-", "doh-"))], "no private key travels"


def test_the_readme_names_files_and_commands_that_are_there():
    for link in re.findall(r"\]\((docs/[a-z./-]+)\)", README):
        assert (SOURCE / link).exists(), link
    for page in (SOURCE / "docs").glob("*.md"):
        assert f"docs/{page.name}" in README, f"the README's list of documents lacks {page.name}"
    told = subprocess.run([str(BIN / "fedroam"), "--help"], env=ENV, text=True, capture_output=True, check=True).stdout
    row = next(line for line in README.splitlines() if line.startswith("| `fedroam` |"))
    assert set(re.findall(r"^  ([a-z]+) ", told, re.M)) - {"version"} == set(re.findall(r"`([a-z]+)`", row)) - {"fedroam"}
