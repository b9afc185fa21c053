"""Every header compiles alone; the installed ones also as C99 and as C++.

usage: headers.py CC INCLUDE_ROOT    (INCLUDE_ROOT holds one folder per library, as the build makes them)
"""
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import source


def compiles(command, path, language, standard):
    run = subprocess.run(
        [*command, "-x", language, f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
         "-include", str(source.ROOT / path), "/dev/null"], capture_output=True, text=True)
    return run.returncode == 0, run.stderr


def main():
    cc, root = sys.argv[1], Path(sys.argv[2])
    flags = ["-D_GNU_SOURCE", '-DFR_VERSION="0"', f"-I{source.ROOT / 'resolver-client/include'}"]
    flags += [f"-I{folder}" for folder in sorted(root.iterdir())]
    faults = source.Faults("headers")
    jobs = []
    for path in source.files(".h"):
        jobs.append(([cc, *flags], path, "c", "gnu2x"))
        if source.library(path) == "fedroam":
            jobs.append(([cc, *flags], path, "c", "c99"))
            if shutil.which("c++"):
                jobs.append((["c++", *flags], path, "c++", "c++11"))
    with ThreadPoolExecutor(2) as pool:
        for job, (good, message) in zip(jobs, pool.map(lambda j: compiles(*j), jobs)):
            if not good:
                faults.add(job[1], f"does not compile alone as {job[3]}:\n{message}")
    faults.finish(len(jobs))


main()
