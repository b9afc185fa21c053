"""Every module of a library has a unit test: <module>_test.c, or one that calls a function of it, or a reason why not."""
import re

import source

NOT_LIBRARIES = {"program", "examples", "fedroam"}
FUNCTION = re.compile(r"^(?!static\b)[a-z][\w \t*]*?\b((?:fr|fedroam)_\w+)\(", re.M)


def names_in_tests():
    found = set()
    for path in source.files(".c", ".h", tests=True):
        if path.parts[:2] in (("tests", "unit"), ("tests", "support")):
            found |= set(re.findall(r"\b(?:fr|fedroam)_\w+", source.code(path)))
    return found


def main():
    faults = source.Faults("tests")
    called = names_in_tests()
    modules = [p for p in source.files(".c") if source.library(p) not in NOT_LIBRARIES and not source.is_program(p)]
    for path in modules:
        own = f"tests/unit/{source.library(path)}/{path.stem}_test.c"
        if not (source.ROOT / own).exists() and not called & set(FUNCTION.findall(source.code(path))):
            faults.add(path, f"no {own}, and no unit test calls a function of it")
    faults.finish(len(modules))


main()
