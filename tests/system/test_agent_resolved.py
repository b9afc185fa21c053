"""fedroam-agent behind systemd-resolved, by the recipe of docs/agent.md, in namespaces of its own: nothing of the machine is touched."""
import os
import pathlib
import socket
import subprocess
import sys
import threading

import dns.message
import dns.rcode
import pytest

from fed import SOURCE, tool, wait_until
from test_agent import ABSENT, NAME, NETWORK, agent, recipe, rrs  # noqa: F401  (agent is a fixture)

# `./dev deps` unpacks the package there; installed, it would take over the resolver of the machine.
UNPACKED = SOURCE / "build" / "resolved"
PROGRAM = UNPACKED / "lib" / "systemd" / "systemd-resolved"


class Resolved:
    def __init__(self, folder, agent_port):
        assert PROGRAM.exists(), f"{PROGRAM} is not there: ./dev deps"
        self.log = folder / "resolved.log"
        (folder / "fedroam.conf").write_text(recipe("systemd-resolved", 5300))
        ours, theirs = socket.socketpair()
        libraries = next((UNPACKED / "usr" / "lib").glob("*/systemd"))
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [tool("unshare"), "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", sys.executable, "-B",
                 str(pathlib.Path(__file__).parent / "resolved_inside.py"), str(folder), str(PROGRAM), str(folder / "fedroam.conf"),
                 str(theirs.fileno())],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, pass_fds=[theirs.fileno()],
                env=dict(os.environ, LD_LIBRARY_PATH=str(libraries)))
        theirs.close()
        ours.settimeout(60)
        data, fds, _, _ = socket.recv_fds(ours, 16, 2)
        ours.close()
        assert data, f"no user or network namespace here, or no veth?\n{self.log.read_text()}"
        self.inside, self.stub = (socket.socket(fileno=fd) for fd in fds)
        self.agent_port = agent_port
        self.heard = 0
        threading.Thread(target=self._carry, daemon=True).start()

    def _carry(self):
        """What resolved asks 127.0.0.1:5300 of its network goes to the agent of ours."""
        while True:
            try:
                query, peer = self.inside.recvfrom(4096)
            except OSError:
                return
            self.heard += 1
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.settimeout(20)
                out.sendto(query, ("127.0.0.1", self.agent_port))
                try:
                    self.inside.sendto(out.recv(4096), peer)
                except OSError:
                    continue

    def ask(self, name, rdtype="A", seconds=30):
        query = dns.message.make_query(name, rdtype)

        def answered():
            assert self.process.poll() is None, self.log.read_text()
            try:
                self.stub.settimeout(3)
                self.stub.send(query.to_wire())
                answer = dns.message.from_wire(self.stub.recv(4096))
            except (OSError, dns.exception.DNSException):
                return None
            return answer if query.is_response(answer) and answer.rcode() != dns.rcode.SERVFAIL else None
        return wait_until(answered, seconds, f"{name} {rdtype} from systemd-resolved:\n{self.log.read_text()}")

    def close(self):
        self.process.kill()
        self.process.wait(20)
        self.inside.close()
        self.stub.close()


@pytest.fixture
def resolved(agent, tmp_path):  # noqa: F811
    r = Resolved(tmp_path, agent.port)
    yield r
    r.close()


def test_behind_systemd_resolved(resolved):
    got = resolved.ask(NAME)
    assert rrs(got.answer, "CNAME") == [f"{NETWORK}."] and rrs(got.answer, "A") == ["127.0.0.1"]
    assert len(rrs(resolved.ask(f"_fedroam._tcp.{NETWORK}", "SRV").answer, "SRV")) == 2
    assert resolved.ask(f"{ABSENT}.deveui.fed.test").rcode() == dns.rcode.NXDOMAIN
    heard = resolved.heard
    assert resolved.ask(NAME).rcode() == dns.rcode.NOERROR and resolved.heard > heard  # it keeps nothing of a server on loopback
