"""./dev demo --keep: what it leaves running can be tried with the lines it prints, until somebody ends it."""
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest
from fed import BIN, ENV, SOURCE, wait_until


@pytest.fixture
def kept(tmp_path):
    """The demo, nobody at the keyboard, once it has come to its end; its output."""
    out = tmp_path / "out"
    with open(out, "wb") as log:
        demo = subprocess.Popen([sys.executable, "-B", SOURCE / "tests/demo/demo.py", "--bin", BIN, "--npm", SOURCE / "build/npm",
                                 "--keep"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENV)
    try:
        wait_until(lambda: "Press Return" in out.read_text() or demo.poll() is not None, 90, "the end of the demo")
        yield demo, out.read_text()
    finally:
        demo.terminate()
        demo.wait(30)


def test_it_stays_and_its_lines_work(kept, tmp_path):
    demo, text = kept
    with pytest.raises(subprocess.TimeoutExpired):
        demo.wait(1)
    lines = re.search(r"Try:\n\n(.*)\n\nPress", text, re.S).group(1).split("\n\n")
    wanted = ["NOERROR", "netid", "000013", "# EOF"]
    assert len(lines) == len(wanted), lines
    for line, word in zip(lines, wanted):
        done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, timeout=30, env=ENV, check=False)
        assert done.returncode == 0 and word in done.stdout.decode(errors="replace"), f"{line}\n{done}"
    folder = re.search(r"to remove (/\S+)\.$", text, re.M).group(1)
    pids = re.search(r"\(pids ([\d, ]+)\)", text).group(1).split(", ")
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(30) == 128 + signal.SIGINT
    assert not pathlib.Path(folder).exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
