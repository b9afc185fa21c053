"""Fixtures for the system tests; fed.py holds what they give."""
import pytest

from fed import BIN, Federation


@pytest.fixture(scope="session", autouse=True)
def programs():
    missing = [name for name in ("fedroam", "fedroam-broker") if not (BIN / name).exists()]
    if missing:
        pytest.exit(f"not built: {', '.join(missing)} in {BIN}", returncode=1)


@pytest.fixture
def fed(tmp_path):
    """An initialised federation fed.test with no member; everything started on it is stopped at the end."""
    federation = Federation(tmp_path)
    federation.init()
    yield federation
    federation.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One running broker for a module's read-only tests: members acme (000013) and umbra (000014), three devices,
    certificates in .acme (doh), .umbra (doh) and .ns13 (ns)."""
    federation = Federation(tmp_path_factory.mktemp("fed"))
    federation.init()
    federation.member("acme", "000013", "127.0.0.1:8005", "[::1]:8006")
    federation.member("umbra", "000014", "127.0.0.2:8005")
    federation.devices("000013", ["70b3d57ed0000001", "70b3d57ed0000002"])
    federation.devices("000014", ["70b3d57ed0000003"])
    federation.acme = federation.cert("doh", member="acme")
    federation.umbra = federation.cert("doh", member="umbra")
    federation.ns13 = federation.cert("ns", member="acme", netid="000013")
    federation.start_broker()
    yield federation
    federation.stop()
