"""docs/threats.md names T1 to T34 once each, and tests that exist."""
import re

import source

PAGE = "docs/threats.md"
WANTED = [f"T{n}" for n in range(1, 35)]


def exists(name):
    file, _, test = name.partition("::")
    path = source.ROOT / "tests" / (file if "/" in file else f"system/{file}.py")
    if not path.exists():
        return False
    if not test:
        return True
    start = r"^def " if path.suffix == ".py" else r"^static void "
    return re.search(start + re.escape(test) + r"\(", path.read_text(), re.M) is not None


def main():
    faults = source.Faults("threats")
    lines = (source.ROOT / PAGE).read_text().splitlines()
    told, shown = [], set()
    for number, line in enumerate(lines, 1):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if not line.startswith("| T"):
            continue
        if len(cells) == 3:
            told.append(cells[0])
            continue
        shown.add(cells[0])
        test = cells[1].strip("`")
        if not exists(test):
            faults.add(PAGE, f"there is no {test}", number)
    if told != WANTED:
        faults.add(PAGE, "not T1 to T34, in order, once each")
    for threat in [t for t in WANTED if t not in shown]:
        faults.add(PAGE, f"no test shows {threat}")
    faults.finish(len(told))


main()
