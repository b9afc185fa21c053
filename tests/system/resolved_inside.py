"""systemd-resolved in user, network and mount namespaces of its own: `unshare … resolved_inside.py FOLDER PROGRAM CONFIG FD`.

Sends two sockets of its network over the Unix socket FD: one that stands for the agent's DNS (127.0.0.1:5300), one to ask resolved's own
stub with. Unprivileged: root of its user namespace is who started it."""
import pathlib
import socket
import subprocess
import sys

folder, program, config, fd = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])


def run(*args):
    subprocess.run([str(a) for a in args], check=True)


# Of its own it answers nothing while there is no link but loopback.
run("ip", "link", "set", "lo", "up")
run("ip", "link", "add", "link0", "type", "veth", "peer", "name", "link1")
run("ip", "address", "add", "192.0.2.1/24", "dev", "link0")
for link in ("link0", "link1"):
    run("ip", "link", "set", link, "up")

# Started as root, it becomes this user, which its package makes.
users = [line for line in pathlib.Path("/etc/passwd").read_text().splitlines() if not line.startswith("systemd-resolve:")]
(folder / "passwd").write_text("\n".join([*users, "systemd-resolve:x:0:0::/:/usr/sbin/nologin"]) + "\n")
run("mount", "--bind", folder / "passwd", "/etc/passwd")
run("mount", "-t", "tmpfs", "none", "/run")
drop_in = pathlib.Path("/run/systemd/resolved.conf.d")
drop_in.mkdir(parents=True)
(drop_in / "fedroam.conf").write_text(pathlib.Path(config).read_text())

agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
agent.bind(("127.0.0.1", 5300))
stub = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
stub.connect(("127.0.0.53", 53))
with socket.socket(fileno=fd) as outside:
    socket.send_fds(outside, [b"two"], [agent.fileno(), stub.fileno()])
sys.exit(subprocess.run([program], check=False).returncode)
