"""What the checks share: the C files of the house, their text without comments, and the list of exceptions."""
import fnmatch
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP = ("zones", "pki", "resolver-client", "broker", "ns-plugin", "tests")
EXCEPTIONS = ROOT / "tests/lint/exceptions.txt"

# Folder → library. Of the folders that hold a program besides, main.c is the program.
LIBRARIES = {
    "zones/base": "base", "zones/names": "names", "zones/db": "db", "zones/dns": "dns", "zones/store": "store", "zones/sync": "sync",
    "zones/cli": "zones_cli", "pki/x509": "x509", "pki/ca": "ca", "pki/enrol": "enrol", "pki/member": "member_cli", "pki/cli": "pki_cli",
    "resolver-client/transport": "transport", "resolver-client/daemon": "daemon", "resolver-client/resolver": "resolver", "resolver-client/ev": "resolver_ev", "resolver-client/ares": "resolver_ares",
    "resolver-client/cli": "resolver_cli", "resolver-client/publish": "publish", "resolver-client/bench": "bench", "resolver-client/include": "fedroam", "resolver-client/examples": "examples",
    "broker/answer": "answer", "broker/access": "access", "broker/usage": "usage", "broker/doh": "doh", "broker/admin": "admin", "broker/est": "est", "broker/replica": "replica", "broker/api": "api",
    "broker/xfr": "xfr", "broker/probe": "probe", "broker/backup": "backup", "broker/doctor": "doctor", "broker/session": "session", "broker/alarm": "alarm", "broker/notify": "notify",
    "broker/main": "main", "broker/cli": "program",
    "ns-plugin/crypto": "crypto", "ns-plugin/frames": "frames", "ns-plugin/backend": "backend",
    "ns-plugin/gateway": "gateway", "ns-plugin/state": "state", "ns-plugin/roles": "roles", "ns-plugin/main": "ns", "ns-plugin/agent": "agent",
}


def files(*suffixes, tests=False):
    """Every source file with one of the suffixes, relative to the root, in a fixed order."""
    found = []
    for top in TOP:
        if top == "tests" and not tests:
            continue
        found += [p.relative_to(ROOT) for p in (ROOT / top).rglob("*") if p.suffix in suffixes and p.is_file()]
    return sorted(found)


def library(path):
    """The library a file belongs to; stops the check for a folder that is not on the map."""
    folder = "/".join(path.parts[:2])
    if folder not in LIBRARIES:
        sys.exit(f"{path}: the folder {folder} is not on the map of tests/lint/source.py")
    return LIBRARIES[folder]


def is_program(path):
    return path.name == "main.c" and "/".join(path.parts[:2]) in ("broker/main", "broker/cli", "ns-plugin/agent", "ns-plugin/main")


_LITERAL = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code(path):
    """The text without comments, strings and characters; line numbers stay."""
    def blank(match):
        return "\n" * match.group().count("\n") if match.group()[0] == "/" else '""'
    return _LITERAL.sub(blank, (ROOT / path).read_text())


class Faults:
    """Collects faults; those with a line in exceptions.txt ("check path: reason", the path may
    have wildcards) are let through."""

    def __init__(self, check):
        self.check = check
        self.allowed = {}
        self.used = set()
        self.found = []
        for number, line in enumerate(EXCEPTIONS.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            match = re.fullmatch(r"(\w+) (\S+): (\S.*)", line)
            if not match:
                sys.exit(f"{EXCEPTIONS.relative_to(ROOT)}:{number}: not 'check path: reason'")
            if match.group(1) == check:
                self.allowed[match.group(2)] = number

    def add(self, path, text, line=None):
        for pattern in self.allowed:
            if fnmatch.fnmatch(str(path), pattern):
                self.used.add(pattern)
                return
        self.found.append(f"{path}{':' + str(line) if line else ''}: {text}")

    def finish(self, checked):
        for path in sorted(set(self.allowed) - self.used):
            place = f"{EXCEPTIONS.relative_to(ROOT)}:{self.allowed[path]}"
            self.found.append(f"{place}: {path} needs no exception any more")
        print("\n".join(self.found) if self.found else f"{self.check}: {checked} files checked")
        sys.exit(1 if self.found else 0)
