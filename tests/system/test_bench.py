"""`fedroam bench doh` against the real broker: it counts what the broker says it did."""
import json

import pytest

from test_resolve import write_config

DEVICE = "70b3d57ed0000001"


@pytest.fixture
def config(shared, tmp_path):
    """A load generator is no member: what one may use is lifted."""
    for budget in ("misses", "unknown", "queries", "connections"):
        shared.cli("policy", "set", f"budget.{budget}", "0")
    return write_config(tmp_path, shared, shared.acme)


def bench(fed, config, *args, code=0):
    done = fed.run("bench", "doh", "--config", config, "-o", "json", *args, code=code)
    return json.loads(done.stdout) if done.stdout else None, done.stderr


@pytest.mark.parametrize("method", [[], ["--get"], ["--busy"]])
def test_known_devices(shared, config, method):
    got, said = bench(shared, config, "--first", DEVICE, "--count", "300", "--connections", "2", "--streams", "10", *method)
    assert said == ""
    assert got["answered"] == 300 and got["status"] == {"200": 300}
    assert got["rcode"][0] == 300 and got["resets"] == got["broken"] == 0
    assert got["handshakes"] == 2 and got["resumed"] == 0
    assert 0 < got["latency_us"]["p50"] <= got["latency_us"]["p99"] <= got["latency_us"]["max"]
    assert sum(n for _, n in got["latency_us"]["buckets"]) == 300


def test_misses(shared, config):
    got, _ = bench(shared, config, "--miss", "100", "--count", "50", "--connections", "1")
    assert got["rcode"][3] == 50
    got, _ = bench(shared, config, "--first", DEVICE, "--miss", "50", "--count", "400")
    assert 100 < got["rcode"][3] < 300 and got["rcode"][0] + got["rcode"][3] == 400


@pytest.mark.parametrize("more, resumed", [([], 0), (["--resume"], 19)])
def test_handshakes(shared, config, more, resumed):
    got, _ = bench(shared, config, "--first", DEVICE, "--count", "20", "--connections", "1", "--streams", "1",
                   "--per-connection", "1", *more)
    assert got["answered"] == 20 and got["broken"] == 0
    assert got["handshakes"] == 20 and got["resumed"] == resumed


def test_another_path(shared, config):
    got, _ = bench(shared, config, "--path", "/nothing", "--count", "3")
    assert got["status"] == {"404": 3}


def test_names_from_a_file(shared, config, tmp_path):
    names = tmp_path / "names.csv"
    names.write_text(f"deveui,netid\n{DEVICE},000013\n")
    got, _ = bench(shared, config, "--names", names, "--count", "5")
    assert got["rcode"][0] == 5
    names.write_text(f"{DEVICE}\nnonsense\n")
    assert "names.csv:2" in bench(shared, config, "--names", names, code=65)[1]


def test_nobody_there(shared, config, tmp_path):
    text = config.read_text().replace(str(shared.port), "1")
    config.write_text(text)
    assert "in a row failed" in bench(shared, config, "--first", DEVICE, code=10)[1]
