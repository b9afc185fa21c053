"""docs/joining-a-federation.md, command by command, in a member's folder; and that the page and the programs agree."""
import os
import re
import subprocess

import pytest

from fed import BIN, ENV, SOURCE, Federation, free_port, wait_until

PAGE = (SOURCE / "docs" / "joining-a-federation.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.S)


class Machine:
    """The page's paths and users, moved to where a test may use them; public DNS would know the brokers."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "chirpstack").mkdir()
        (folder / "chirpstack" / "chirpstack.toml").write_text('[network]\nnet_id = "000013"\n')
        (folder / "passphrase").touch(mode=0o600)
        (folder / "passphrase").write_text("correct horse\n")

    def here(self, line):
        line = re.sub(r"\bfedroam (join|renew|wallet \w+|peers \w+|leave|export [\w-]+|test inbound)", rf"fedroam \1 --dir {self.folder}/wallet", line)
        line = re.sub(r"\bfedroam (resolve|test (?!inbound)\w+)", rf"fedroam \1 --config {self.folder}/wallet/resolver.yaml", line)
        line = line.replace("fedroam join", "fedroam join --broker-address 127.0.0.1")
        line = line.replace("--lns chirpstack-v4", f"--lns chirpstack-v4 --lns-dir {self.folder}/chirpstack")
        return line.replace("--owner chirpstack", f"--owner {os.geteuid()}").replace("systemctl restart chirpstack", "true")

    def run(self, line, code=0):
        done = subprocess.run(["sh", "-eu", "-c", self.here(line)], cwd=self.folder, text=True, capture_output=True, check=False,
                              env={**ENV, "PATH": f"{BIN}:{ENV['PATH']}"})
        assert done.returncode == code, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joining")
    feds = []
    for name, peer, file in (("fed.example", "000014", "token"), ("second.example", "000021", "token-second")):
        (folder / name).mkdir()
        fed = Federation(folder / name, name=name).init()
        fed.member("acme", "000013", "127.0.0.1:8005")
        fed.member("umbra", peer, "127.0.0.2:8005")
        fed.start_broker()
        (folder / file).write_text(fed.cli("token", "create", "--member", "acme", "--profile", "ns,doh").stdout)
        feds.append(fed)
    yield Machine(folder), feds
    for fed in feds:
        fed.stop()


def test_every_command_of_the_page_does_what_it_says(world):
    machine, feds = world
    said = {}
    for block in BLOCKS:
        for line in block.strip().splitlines():
            said[line] = machine.run(line, 10 if line == "fedroam test inbound --fed fed.example" else 0)  # nothing listens on 8005
    assert len(said) >= 15
    assert not (machine.folder / "wallet" / "fed.example").exists()
    assert (machine.folder / "wallet" / "second.example").exists()
    text = "\n".join(said.values())
    for word in ("home network 000013", "restart ChirpStack", "broker.fed.example", "ns-000013", "new key", "[backend_interfaces]",
                 "peers of other federations than fed.example", "peers do not reach 127.0.0.1:8005", "curl --cacert"):
        assert word in text, word


def test_the_page_names_options_and_commands_that_exist(world):
    machine, _ = world
    help_of = {name: machine.run(f"fedroam {name} --help") for name in ("join", "renew", "leave", "export pem", "export p12", "test dns", "peers list",
                                                                          "wallet list", "resolve")}
    known = set(re.findall(r"--[a-z][a-z0-9-]+", "".join(help_of.values())))
    assert set(re.findall(r"--[a-z][a-z0-9-]+", PAGE)) - {"--check"} <= known


def test_the_tests_it_speaks_of(world):
    """test doh, peer and dns, right and wrong."""
    machine, feds = world
    token = feds[0].cli("token", "create", "--member", "umbra", "--profile", "doh").stdout
    (machine.folder / "token-umbra").write_text(token)
    machine.run("fedroam join - < token-umbra")
    right = machine.run("fedroam test doh --fed fed.example")
    assert [line.split()[0] for line in right.splitlines()] == ["ok"] * 3, right
    assert "is no network of fed.example" in machine.run("fedroam test peer 000055 --fed fed.example", code=7)
    assert "does not run" in machine.run("fedroam test peer 000013 --fed fed.example", code=10)  # nobody listens on 8005 here
    assert "fedroam-agent" in machine.run("fedroam test dns --fed fed.example --server 127.0.0.1:9", code=10)
    port = free_port()
    with open(machine.folder / "wallet" / "agent.yaml", "a", encoding="utf-8") as config:  # as an administrator adds to it
        config.write(f"listen: [{{address: 127.0.0.1, port: {port}}}]\nsocket: {machine.folder}/agent.sock\nadmin: {{port: 0}}\n")
    feds[0].daemon("fedroam-agent", "--config", machine.folder / "wallet" / "agent.yaml")
    asked = f"fedroam test dns --fed fed.example --server 127.0.0.1:{port}"
    wait_until(lambda: subprocess.run(["sh", "-c", machine.here(asked)], env={**ENV, "PATH": f"{BIN}:{ENV['PATH']}"}, check=False,
                                      capture_output=True).returncode == 0, 20, "the agent to answer")
    assert "has no address here" in machine.run(f"{asked} --netid 000014", code=2)
    assert "answers for second.example" in machine.run(f"fedroam test dns --fed second.example --server 127.0.0.1:{port}")
    feds[0].cli("cert", "revoke", "--member", "umbra", "--yes")
    refused = machine.run("fedroam test doh --fed fed.example", code=5)
    assert "→" in refused
