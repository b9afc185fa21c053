"""A network namespace of one's own, where a user who may not capture packets on the host may."""
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

INSIDE = "FR_DEMO_NETNS"
SIOCSIFFLAGS = 0x8914
IFF_UP, IFF_RUNNING, IFF_LOOPBACK = 0x1, 0x40, 0x8


def enter():
    """Runs this program again inside a fresh network namespace. Returns where the machine does not allow one."""
    how = ["unshare", "--user", "--map-root-user", "--net"]
    if INSIDE in os.environ or shutil.which("unshare") is None:
        return
    if subprocess.run([*how, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        os.environ[INSIDE] = "1"
        os.execvp(how[0], [*how, sys.executable, *sys.argv])


def raise_loopback():
    """Brings `lo` up when this process runs inside a namespace of its own."""
    if INSIDE in os.environ:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING | IFF_LOOPBACK))
