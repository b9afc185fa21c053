"""docs/metrics.md, docs/alerts.yml and docs/limits.md say what the running broker says."""
import re
import shutil
import subprocess

import pytest
import yaml

from fed import BIN, ENV, SOURCE

DOCS = SOURCE / "docs"
NAME = re.compile(r"^fedroam_[a-z0-9_]+$")


def rows(path):
    """The cells of every table row whose first cell is one `word`."""
    out = []
    for line in path.read_text().splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if line.startswith("|") and re.fullmatch(r"`[^`]+`", cells[0]):
            out.append([cells[0].strip("`"), *cells[1:]])
    return out


@pytest.fixture(scope="module")
def exposed(shared):
    """{sample name: (type, label names, {(label, value)})} of /metrics."""
    text = shared.curl_plain("/metrics").stdout
    suffix = {"counter": "_total", "info": "_info", "gauge": ""}
    out = {}
    for family, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
        out[family + suffix[kind]] = (kind, set(), set())
    for name, labels in re.findall(r"^([a-z0-9_]+)(?:\{(.*)\})? \S+$", text, re.M):
        if NAME.match(name):
            pairs = set(re.findall(r'([a-z]+)="([^"]*)"', labels))
            out[name][1].update(label for label, _ in pairs)
            out[name][2].update(pairs)
    assert len(out) > 30
    return out


def test_every_metric_is_described_and_every_description_is_of_a_metric(exposed):
    described = {row[0]: row for row in rows(DOCS / "metrics.md")}
    assert len(described) == len(rows(DOCS / "metrics.md")), "one is described twice"
    assert set(described) == set(exposed)
    for name, (kind, labels, _) in exposed.items():
        assert described[name][1] == kind, name
        told = {l.strip() for l in described[name][2].split(",") if l.strip()}
        assert labels <= told, name                      # a gauge of things there are none of yet shows no label
        assert told == labels or not labels, name


def test_words_in_the_descriptions_are_values_of_labels(exposed):
    """`refused` in a meaning is a label's value, unless it is a key, a file or a member of the log."""
    others = {"limits.md", "handshake.refused"}
    for name, _, labels, meaning in (row[:4] for row in rows(DOCS / "metrics.md")):
        values = {value for _, value in exposed[name][2]}
        for word in re.findall(r"`([^`]+)`", meaning):
            assert not values or word in values | others, f"{name}: {word}"


def rules():
    groups = yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_alerts_use_metrics_and_labels_that_exist(exposed):
    assert len({rule["alert"] for rule in rules()}) == len(rules()) > 10
    for rule in rules():
        used = re.findall(r"(fedroam_[a-z0-9_]+)(?:\{([^}]*)\})?", rule["expr"])
        assert used or "up{" in rule["expr"], rule["alert"]
        labels = {"instance", "job"}
        for name, selector in used:
            assert name in exposed, rule["alert"]
            described = {row[0]: row[2] for row in rows(DOCS / "metrics.md")}
            labels |= {l.strip() for l in described[name].split(",")}
            for label, values in re.findall(r'([a-z]+)=~?"([^"]*)"', selector or ""):
                for value in values.split("|"):
                    assert (label, value) in exposed[name][2], f"{rule['alert']}: {label}={value}"
        for text in rule["annotations"].values():
            assert set(re.findall(r"\$labels\.([a-z]+)", text)) <= labels, rule["alert"]
        assert rule["labels"]["severity"] in ("info", "warning", "critical") and rule["annotations"]["summary"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_takes_the_rules_and_the_metrics(shared):
    subprocess.run(["promtool", "check", "rules", str(DOCS / "alerts.yml")], check=True)


def limit_rows():
    """{key: default} of `limits:`, from the table that the program reads."""
    text = (SOURCE / "broker" / "main" / "conf_limits.c").read_text()
    table = text.split("limit_rows[] = {")[1].split("\n};")[0]
    found = re.findall(r'\.key = "([a-z_]+)".*?\.def = "([^"]+)"', table, re.S)
    assert len(found) == table.count(".key = \"")
    return dict(found)


def test_every_limit_is_described_with_its_default_and_counter(exposed):
    described = {row[0]: row for row in rows(DOCS / "limits.md")}
    hits = {value for _, value in exposed["fedroam_limit_hits_total"][2]}
    phases = {value for _, value in exposed["fedroam_timeouts_total"][2]}
    counted = set()
    for key, default in limit_rows().items():
        assert key in described, f"docs/limits.md lacks {key}"
        assert described[key][1] == default, key
        for word in re.findall(r"`([^`]+)`", described[key][2]):
            known = hits | phases | set(exposed)
            assert word in known, f"{key}: no counter {word}"
            counted.add(word)
    assert hits | phases <= counted | {row[0] for row in described.values()}


def test_limits_of_the_page_are_taken_by_the_program(shared, tmp_path):
    """Each key with its default in a real file."""
    config = tmp_path / "broker.yaml"
    text = "".join(f"  {key}: {default}\n" for key, default in limit_rows().items())
    config.write_text(shared.config.read_text() + "limits:\n" + text)
    done = subprocess.run([str(BIN / "fedroam-broker"), "--config", str(config), "--check"], env=ENV,
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
