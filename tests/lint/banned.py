"""Calls nobody makes here, and calls that libraries leave to programs."""
import re

import source

EVERYWHERE = {
    "strcpy strcat sprintf vsprintf gets": "does not know the room it writes into",
    "strtok": "keeps hidden state",
    "atoi atol atof sscanf strtol strtoul strtoull": "does not refuse; use base/parse",
    "gethostbyname": "blocks, and knows IPv4 only",
    "alloca": "has no limit",
}
OUTSIDE_MEM = {"malloc calloc realloc reallocarray free strdup strndup": "use base/mem"}
IN_LIBRARIES = {
    "exit _exit abort": "a library returns an error",
    "printf puts putchar perror": "a library prints nothing",
    "getenv setenv": "a library does not read the environment",
    "signal sigaction": "signals are the program's",
}
# What runs inside the command line may print to the streams it is given, not to stdout by itself.


def rules_for(path):
    rules = dict(EVERYWHERE)
    if str(path) != "zones/base/mem.c":
        rules.update(OUTSIDE_MEM)
    if not source.is_program(path) and source.library(path) != "examples":
        rules.update(IN_LIBRARIES)
    return rules


def main():
    faults = source.Faults("banned")
    paths = source.files(".c", ".h")
    for path in paths:
        text = source.code(path)
        for words, reason in rules_for(path).items():
            pattern = r"(?<![\w.>])(" + "|".join(words.split()) + r")\s*\("
            for match in re.finditer(pattern, text):
                faults.add(path, f"{match.group(1)}(): {reason}", text.count("\n", 0, match.start()) + 1)
    faults.finish(len(paths))


main()
