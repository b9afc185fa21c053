"""libfedroam as its users meet it: installed, found by pkg-config and CMake, used from C, C++ and Python."""
import ctypes
import os
import pathlib
import re
import select
import subprocess
import time

import pytest

from fed import BIN, SOURCE, wait_until

DEVICES = ["70b3d57ed0000001", "70b3d57ed0000003"]
ABSENT = "70b3d57ed00000ff"
EXAMPLES = SOURCE / "resolver-client" / "examples"


def sh(*args, cwd=None, env=None, code=0):
    done = subprocess.run([str(a) for a in args], cwd=cwd, env=env, capture_output=True, text=True, timeout=900,
                          check=False)
    assert code is None or done.returncode == code, f"{args}: {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done


class Installed:
    """An optimised build of the library alone, installed into a folder of its own; abidiff needs its debug information."""

    def __init__(self, build, prefix):
        self.prefix = prefix
        sh("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DFR_TESTS=OFF",
           "-DFR_SANITIZE=OFF", f"-DCMAKE_INSTALL_PREFIX={prefix}", "-DCMAKE_INSTALL_LIBDIR=lib")
        sh("cmake", "--build", build, "--target", "libfedroam", "libfedroam_ev", "libfedroam_ares")
        for component in ("libfedroam", "libfedroam-dev"):
            sh("cmake", "--install", build, "--component", component)
        self.lib = prefix / "lib"
        self.so = self.lib / "libfedroam.so.0"
        self.env = dict(os.environ, PKG_CONFIG_PATH=str(self.lib / "pkgconfig"), LD_LIBRARY_PATH=str(self.lib))

    def flags(self, *names):
        return sh("pkg-config", "--cflags", "--libs", *names, env=self.env).stdout.split()


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    return Installed(BIN.parent / "library", tmp_path_factory.mktemp("prefix"))


def symbols(path, kind):
    out = sh("nm", "-D", kind, path).stdout
    return {re.split(r"@+", line.split()[-1])[0] for line in out.splitlines()}


def test_it_needs_four_libraries(installed):
    out = sh("objdump", "-p", installed.so).stdout
    needed = {line.split()[1].split(".so")[0] for line in out.splitlines() if line.strip().startswith("NEEDED")}
    assert needed == {"libssl", "libcrypto", "libnghttp2", "libc"}
    assert "libfedroam.so.0" in re.search(r"SONAME\s+(\S+)", out)[1]


def test_it_exports_its_own_names_only(installed):
    exported = symbols(installed.so, "--defined-only") - {"FEDROAM_0"}
    assert exported and all(name.startswith("fedroam_") for name in exported), exported
    declared = set()
    for header in (installed.prefix / "include" / "fedroam").glob("*.h"):
        if header.name not in ("ev.h", "ares.h"):
            declared |= set(re.findall(r"\b(fedroam_\w+)\(", re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)))
    assert exported == declared
    listed = set((SOURCE / "resolver-client" / "lib" / "libfedroam.symbols").read_text().split())
    assert exported >= listed, "a published function is gone: that needs a new soname"
    assert exported <= listed, "new functions: add them to libfedroam.symbols"
    adapter = symbols(installed.lib / "libfedroam-ev.so.0", "--defined-only") - {"FEDROAM_EV_0"}
    assert adapter == {"fedroam_ev_new", "fedroam_ev_handle", "fedroam_ev_free"}
    adapter = symbols(installed.lib / "libfedroam-ares.so.0", "--defined-only") - {"FEDROAM_ARES_0"}
    assert adapter == {"fedroam_ares_use"}


LIB = SOURCE / "resolver-client" / "lib"


def abidiff(library):
    return sh("abidiff", "--headers-dir2", SOURCE / "resolver-client" / "include", "--drop-private-types", "--suppressions",
              LIB / "libfedroam.abignore", "--no-added-syms", LIB / "libfedroam.abi", library, code=None)


def test_its_binary_interface_is_the_published_one(installed):
    done = abidiff(installed.so)
    assert done.returncode == 0, ("what programs were built against has changed; before a release ./dev abi notes it, after one "
                                  "it needs a new soname\n" + done.stdout)


def test_a_changed_interface_is_noticed(installed, tmp_path):
    """The same comparison, with a library whose interface differs in one return type."""
    text = (LIB / "libfedroam.abi").read_text()
    source, library = tmp_path / "one.c", tmp_path / "libfedroam.so.0"
    source.write_text("#include <stdint.h>\nuint64_t fedroam_answer_netid(const void *a) { return a != 0; }\n")
    sh("cc", "-g", "-shared", "-fPIC", "-o", library, source, f"-Wl,-soname,libfedroam.so.0,--version-script={LIB / 'libfedroam.map'}")
    assert "fedroam_answer_netid" in text
    done = abidiff(library)
    assert done.returncode & 8 and "fedroam_answer_netid" in done.stdout, done.stdout


def test_it_neither_exits_nor_prints_nor_looks_around(installed):
    forbidden = {"exit", "_exit", "abort", "printf", "puts", "fputs", "fprintf", "perror", "getenv", "secure_getenv", "signal",
                 "sigaction", "pthread_create", "fork", "system", "syslog", "setlocale", "getaddrinfo", "gethostbyname"}
    assert symbols(installed.so, "--undefined-only") & forbidden == set()


def test_headers_are_clean_c99_and_cxx(installed, tmp_path):
    for header in sorted((installed.prefix / "include" / "fedroam").glob("*.h")):
        unit = f"#include <fedroam/{header.name}>\nextern int dummy;\n"
        for name, command in (("a.c", ["gcc", "-std=c99"]), ("b.cpp", ["g++", "-std=c++11"]), ("c.cpp", ["g++", "-std=c++17"])):
            source = tmp_path / name
            source.write_text(unit)
            sh(*command, "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{installed.prefix}/include", "-fsyntax-only", source)


CONSUMER_CXX = """
#include <fedroam/fedroam.h>
#include <cstdio>
#include <memory>
int main() {
    std::unique_ptr<fedroam_options, void (*)(fedroam_options *)> o(fedroam_options_new(), fedroam_options_free);
    if (fedroam_options_add_federation(o.get(), "Not a name", "a", "b", "c") != FEDROAM_E_ARGUMENT) return 1;
    std::printf("%s %d\\n", fedroam_version(), fedroam_version_number() == FEDROAM_VERSION_NUMBER);
}
"""

CONSUMER_CMAKE = """
cmake_minimum_required(VERSION 3.16)
project(consumer C CXX)
find_package(fedroam 0.1 REQUIRED)
add_executable(plain plain.cpp)
target_link_libraries(plain fedroam::fedroam)
add_executable(blocking {examples}/blocking.c)
target_link_libraries(blocking fedroam::fedroam)
add_executable(libev {examples}/libev.c)
target_link_libraries(libev fedroam::ev ev)
"""


def test_cmake_finds_it(installed, tmp_path):
    (tmp_path / "plain.cpp").write_text(CONSUMER_CXX)
    (tmp_path / "CMakeLists.txt").write_text(CONSUMER_CMAKE.format(examples=EXAMPLES))
    sh("cmake", "-S", ".", "-B", "b", f"-DCMAKE_PREFIX_PATH={installed.prefix}", cwd=tmp_path)
    sh("cmake", "--build", "b", cwd=tmp_path)
    version, same = sh("b/plain", cwd=tmp_path).stdout.split()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version) and same == "1"


@pytest.fixture(scope="module")
def examples(installed, tmp_path_factory):
    """The programs of resolver-client/examples, built by pkg-config as their first lines say."""
    folder = tmp_path_factory.mktemp("examples")
    for name, package, more in (("blocking", "fedroam", []), ("descriptor", "fedroam", []), ("poll", "fedroam", []),
                                ("libev", "fedroam-ev", ["-lev"])):
        sh("gcc", "-std=gnu99", "-Wall", "-Wextra", "-Werror", EXAMPLES / f"{name}.c", "-o", folder / name,
           *installed.flags(package), *more)
    return folder


def where(fed, cert):
    return [fed.name, fed.url, "127.0.0.1", cert.root, cert.chain, cert.key]


def test_examples_are_short():
    for source in EXAMPLES.iterdir():
        assert len(source.read_text().splitlines()) <= 60, source


def test_the_blocking_example(installed, examples, shared):
    done = sh(examples / "blocking", *where(shared, shared.acme), DEVICES[0], env=installed.env)
    assert "NetID 000013 in fed.test" in done.stdout
    assert "connect to 127.0.0.1:8005 as 000013.netid.fed.test" in done.stdout
    assert "unknown" in sh(examples / "blocking", *where(shared, shared.acme), ABSENT, env=installed.env, code=1).stderr


def test_the_poll_example(installed, examples, shared):
    done = sh(examples / "poll", *where(shared, shared.acme), DEVICES[0], env=installed.env)
    assert done.stdout == "127.0.0.1:8005\n"


def test_the_libev_example(installed, examples, shared):
    done = sh(examples / "libev", *where(shared, shared.acme), *DEVICES, env=installed.env)
    assert sorted(done.stdout.splitlines()) == [f"{DEVICES[0]} found 000013 127.0.0.1:8005",
                                                f"{DEVICES[1]} found 000014 127.0.0.2:8005"]


def test_the_descriptor_example(installed, examples, shared):
    done = sh(examples / "descriptor", *where(shared, shared.acme), *DEVICES, ABSENT, env=installed.env)
    assert sorted(done.stdout.splitlines()) == sorted([f"{DEVICES[0]} found 127.0.0.1:8005", f"{DEVICES[1]} found 127.0.0.2:8005",
                                                       f"{ABSENT} unknown "])
    assert done.stderr == ""


FOUND = [f"{DEVICES[0]} 000013 127.0.0.1:8005", f"{DEVICES[1]} 000014 127.0.0.2:8005", f"{ABSENT} not found"]


def test_the_python_example(installed, shared):
    done = sh("/usr/bin/python3", EXAMPLES / "lookup.py", *where(shared, shared.acme), *DEVICES, ABSENT, env=installed.env)
    assert done.stdout.splitlines() == FOUND


def test_the_go_example(installed, shared, tmp_path):
    env = dict(installed.env, GOCACHE=str(tmp_path / "cache"), GOFLAGS="-mod=mod", GO111MODULE="off", CGO_ENABLED="1", HOME=str(tmp_path))
    done = sh("go", "run", EXAMPLES / "lookup.go", *where(shared, shared.acme), *DEVICES, ABSENT, env=env)
    assert sorted(line.strip() for line in done.stdout.splitlines()) == sorted(FOUND)


# A program that speaks TLS itself, by the same libssl, before, between and after; SIGPIPE kills it when the library raises it.
BESIDE = """
import ctypes, os, signal, socket, ssl, sys, threading
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
path, url, ca, chain, key, port, broker = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(chain, key)
def tls():
    with socket.create_connection(("127.0.0.1", int(port))) as plain:
        with context.wrap_socket(plain, server_hostname="broker.fed.test") as s:
            assert s.version() == "TLSv1.3"
tls()
lib = ctypes.CDLL(path, mode=os.RTLD_LOCAL | os.RTLD_NOW)
lib.fedroam_options_new.restype = ctypes.c_void_p
lib.fedroam_answer_reason.restype = ctypes.c_char_p
o = ctypes.c_void_p(lib.fedroam_options_new())
assert lib.fedroam_options_add_federation(o, b"fed.test", ca.encode(), chain.encode(), key.encode()) == 0
assert lib.fedroam_options_add_broker(o, b"fed.test", url.encode(), (ctypes.c_char_p * 1)(b"127.0.0.1"), 1) == 0
f = ctypes.c_void_p()
assert lib.fedroam_new(o, ctypes.byref(f)) == 0
def ask(eui):
    a = ctypes.c_void_p()
    assert lib.fedroam_wait_device(f, None, ctypes.c_uint64(eui), 3000, ctypes.byref(a)) == 0
    result = lib.fedroam_answer_result(a)
    lib.fedroam_answer_free(a)
    return result
def work(n):
    for i in range(20):
        assert ask(0x1000 * n + i) == 1
        tls()
threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
for t in threads: t.start()
for t in threads: t.join()
assert ask(0x70b3d57ed0000001) == 0
os.kill(int(broker), signal.SIGKILL)
assert ask(0x99) == 4
lib.fedroam_free(f)
print("alive")
"""


def test_beside_another_user_of_openssl(installed, running, tmp_path):
    cert = running.cert("doh", member="acme")
    script = tmp_path / "beside.py"
    script.write_text(BESIDE)
    done = sh("/usr/bin/python3", script, installed.so, running.url, running.root, cert.chain, cert.key, running.port,
              running.broker.process.pid, env=installed.env)
    assert done.stdout == "alive\n"
    running.broker.process.wait()
    running.broker.out.close()  # killed on purpose


# --- in one process that goes on while the world changes ---

class Library:
    """The blocking interface by ctypes."""

    def __init__(self, path, fed, chain, key):
        self.c = ctypes.CDLL(str(path))
        for name in ("options_new", "answer_reason", "answer_endpoint_text", "answer_federation"):
            getattr(self.c, f"fedroam_{name}").restype = ctypes.c_void_p if name == "options_new" else ctypes.c_char_p
        self.c.fedroam_count.restype = ctypes.c_uint64
        o = ctypes.c_void_p(self.c.fedroam_options_new())
        address = (ctypes.c_char_p * 1)(b"127.0.0.1")
        self.call("options_add_federation", o, fed.name.encode(), bytes(fed.root), bytes(chain), bytes(key))
        self.call("options_add_broker", o, fed.name.encode(), fed.url.encode(), address, ctypes.c_size_t(1))
        self.f = ctypes.c_void_p()
        self.call("new", o, ctypes.byref(self.f))
        self.c.fedroam_options_free(o)

    def call(self, name, *args):
        assert getattr(self.c, f"fedroam_{name}")(*args) == 0, name

    def device(self, eui):
        a = ctypes.c_void_p()
        self.call("wait_device", self.f, None, ctypes.c_uint64(int(eui, 16)), 5000, ctypes.byref(a))
        got = (["found", "unknown", "refused", "over budget", "no broker", "bad answer", "failed"][self.c.fedroam_answer_result(a)],
               ["fresh", "cached", "stale"][self.c.fedroam_answer_freshness(a)], self.c.fedroam_answer_reason(a).decode())
        self.c.fedroam_answer_free(a)
        return got

    def count(self, which):
        return self.c.fedroam_count(self.f, ["lookups", "cached", "shared", "stale", "exchanges", "failures", "reloads",
                                             "entries", "hedges", "probes"].index(which))

    def turn(self, seconds):
        """Drives the handle for a while, as a program with a loop would."""
        self.c.fedroam_timeout_ms.restype = ctypes.c_int64
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            wait = self.c.fedroam_timeout_ms(self.f)
            select.select([self.c.fedroam_fd(self.f)], [], [], left if wait < 0 else min(left, wait / 1000))
            self.c.fedroam_process(self.f)

    def free(self):
        self.c.fedroam_free(self.f)


@pytest.fixture
def running(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", [f"70b3d57ed00000{i:02x}" for i in range(1, 40)])
    fed.start_broker()
    return fed


def test_a_renewed_certificate_is_taken_over(installed, running, tmp_path):
    first = running.cert("doh", member="acme", folder=tmp_path / "first")
    live = tmp_path / "live"
    live.mkdir()
    chain, key = live / "me.chain.pem", live / "me.key"

    def put(cert):
        for source, target in ((cert.key, key), (cert.chain, chain)):
            fresh = pathlib.Path(f"{target}.new")
            fresh.write_bytes(source.read_bytes())
            fresh.chmod(0o600)
            fresh.rename(target)

    put(first)
    library = Library(installed.so, running, chain, key)
    try:
        assert library.device("70b3d57ed0000001")[:2] == ("found", "fresh")
        assert library.device("70b3d57ed0000001")[:2] == ("found", "cached")
        assert library.count("exchanges") == 1
        second = running.cert("doh", member="acme", folder=tmp_path / "second")
        running.cli("cert", "revoke", first.serial, "--reason", "superseded")
        result, _, reason = library.device("70b3d57ed0000002")
        assert result == "refused" and "403" in reason, reason
        put(second)
        asked = iter(range(3, 40))  # names not in the cache
        wait_until(lambda: library.device(f"70b3d57ed00000{next(asked):02x}")[0] == "found" or time.sleep(0.2), 5,
                   "the new certificate to be used")
        assert library.count("reloads") >= 1
    finally:
        library.free()


def test_an_idle_connection_is_made_anew_before_it_is_needed(installed, fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", ["70b3d57ed0000001", "70b3d57ed0000002"])
    fed.start_broker(more="limits: {idle: 11s}\n")
    cert = fed.cert("doh", member="acme")
    library = Library(installed.so, fed, cert.chain, cert.key)
    try:
        assert library.device("70b3d57ed0000001")[0] == "found"
        library.turn(10)
        assert library.count("probes") == 0
        library.turn(3)  # the broker closes it after 11 s
        assert library.count("probes") == 1
        handshakes = sum(v for k, v in fed.metrics().items() if "handshakes_total" in k)
        assert library.device("70b3d57ed0000002")[0] == "found"
        assert sum(v for k, v in fed.metrics().items() if "handshakes_total" in k) == handshakes > 0
        assert library.count("failures") == 0
    finally:
        library.free()


def test_a_broker_that_comes_back_is_found_again(installed, running, tmp_path):
    cert = running.cert("doh", member="acme")
    library = Library(installed.so, running, cert.chain, cert.key)
    try:
        assert library.device("70b3d57ed0000001")[0] == "found"
        running.stop()
        result, _, reason = library.device("70b3d57ed0000002")
        assert result == "no broker" and reason, reason
        assert library.device("70b3d57ed0000001")[:2] == ("found", "cached")
        running.start_broker()
        asked = iter(range(3, 40))
        wait_until(lambda: library.device(f"70b3d57ed00000{next(asked):02x}")[0] == "found" or time.sleep(0.2), 6,
                   "the broker to be asked again")
    finally:
        library.free()
