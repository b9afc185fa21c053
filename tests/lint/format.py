"""clang-format has nothing to change. Exit code 77 (skipped) where there is no clang-format."""
import re
import shutil
import subprocess
import sys

import source


def main():
    if not shutil.which("clang-format"):
        sys.exit(77)
    faults = source.Faults("format")
    paths = source.files(".c", ".h", tests=True)
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", *map(str, paths)], cwd=source.ROOT, capture_output=True, text=True)
    first = {}
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: error:", run.stderr, re.M):
        first.setdefault(path, line)
    for path, line in first.items():
        faults.add(path, "not as clang-format writes it (./dev fmt)", line)
    if run.returncode != 0 and not first:
        sys.exit(run.stderr)
    faults.finish(len(paths))


main()
