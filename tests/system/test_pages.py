"""Manual pages, completion and --help: made from one table, so they agree; taken by mandoc, bash and zsh."""
import collections
import re
import subprocess

import pytest

from fed import BIN, ENV

PROGRAMS = ("fedroam", "fedroam-agent", "fedroam-broker", "fedroam-ns")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for kind in ("man", "bash", "zsh"):
        (folder / kind).mkdir()
        for program in PROGRAMS:
            date = ["November 20, 2026"] if kind == "man" else []
            subprocess.run([str(BIN / program), "--generate", kind, str(folder / kind), *date], env=ENV, check=True, timeout=60)
    return folder


def run(*args):
    return subprocess.run([str(BIN / args[0]), *args[1:]], env=ENV, text=True, capture_output=True, timeout=30, check=False)


@pytest.fixture(scope="module")
def commands(pages):
    """{path: what --help says} of every command of fedroam."""
    script = (pages / "bash" / "fedroam").read_text()
    follow = {path: words.split() for path, words in re.findall(r"^ +'([^']*)'\) follow='([^']*)'", script, re.M)}
    ends = [path for path, words in follow.items() if path and not words]
    also = [path for path in follow if path and path not in ends and "commands:" not in run("fedroam", *path.split(), "--help").stdout]
    return {path: run("fedroam", *path.split(), "--help").stdout for path in ends + also}


def test_mandoc_has_nothing_to_say(pages):
    names = {page.name for page in (pages / "man").iterdir()}
    assert len(names) > 120
    told = subprocess.run(["mandoc", "-Tlint", *map(str, sorted((pages / "man").iterdir()))], text=True, capture_output=True, check=False)
    for line in told.stdout.splitlines():
        missing = re.search(r"referenced manual not found: Xr (\S+) (\d)", line)
        assert missing, line
        assert f"{missing[1]}.{missing[2]}" in names, line  # it is not installed here, but it is one of ours


def test_every_command_and_file_has_a_page_that_says_what_help_says(pages, commands):
    names = {page.name for page in (pages / "man").iterdir()}
    assert len(commands) > 100
    for path, told in commands.items():
        page = (pages / "man" / f"fedroam-{path.replace(' ', '-')}.1").read_text()
        options = set(re.findall(r"^ +(?:-\w, )?--([a-z][a-z0-9-]+)", told, re.M)) - {"help"}
        in_page = {word.replace("\\-", "-") for word in re.findall(r"^\.It Fl (?:\w , Fl )?\\-(\S+)", page, re.M)}
        assert in_page == options, path
    for name in ("fedroam.1", "fedroam-member.1", "fedroam-broker.8", "fedroam-agent.8", "fedroam-ns.8", "fedroam-broker.yaml.5",
                 "fedroam-resolver.yaml.5", "fedroam-agent.yaml.5", "fedroam-ns.yaml.5", "fedroam-devices.yaml.5",
                 "fedroam-wallet.yaml.5", "fedroam-sync.yaml.5"):
        assert name in names, name


def test_a_page_of_a_file_has_defaults_and_units(pages):
    plain = subprocess.run(["mandoc", "-Tascii", "-Owidth=200", str(pages / "man" / "fedroam-broker.yaml.5")], text=True,
                           capture_output=True, check=True).stdout
    plain = re.sub(r".\x08", "", plain)
    assert "federations[].name" in plain and "Durations are numbers with ms, s, m, h or d" in plain
    limits = plain.split("limits.")
    assert len(limits) > 10 and sum("Default:" in key for key in limits) > 10


def test_the_first_page_of_help_is_one_page_and_names_every_word(commands):
    told = run("fedroam", "--help").stdout
    assert len(told.splitlines()) <= 50
    listed = collections.Counter(re.findall(r"^  ([a-z]+) ", told, re.M))
    assert set(listed) == {path.split()[0] for path in commands}
    assert max(listed.values()) == 1


def test_help_of_every_command_has_an_example_of_itself(commands):
    for path, told in commands.items():
        example = told.rsplit("example:\n", 1)
        assert len(example) == 2, path
        assert re.search(rf"(^|\s)fedroam (--\S+ \S+ )*{path}\b", example[1]), f"{path}: {example[1]}"
        assert "--output" in told and "--fed" in told, path


READS = re.compile(r"(^| )(list|show|status|check|verify|tail|stats|info|digest|releases|conflicts)$")


def test_what_changes_takes_dry_run_and_reason_and_what_reads_does_not(commands):
    for path, told in commands.items():
        assert "--reason" in told or "--dry-run" not in told, path  # what has no trial run still has a reason
        if READS.search(path):
            assert "--dry-run" not in told, path
    assert sum("--dry-run" in told for told in commands.values()) > 40


BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
function=$(complete -p "$1" | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(pages, folder, *words):
    done = subprocess.run(["bash", "--norc", "-eu", "-c", BASH, "bash", str(pages / "bash" / words[0]), *words], cwd=folder, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split()


def test_bash_completes(pages, tmp_path):
    (tmp_path / "devices.csv").touch()
    (tmp_path / "S").mkdir()
    for words, want in (
            (["fedroam", "mem"], ["member"]),
            (["fedroam", "member", "s"], ["set", "show", "suspend"]),
            (["fedroam", "--state", "S", "member", "su"], ["suspend"]),
            (["fedroam", "--state=S", "member", "su"], ["suspend"]),
            (["fedroam", "--state", "=", "S", "member", "su"], ["suspend"]),
            (["fedroam", "member", "block", ""], ["add", "remove", "list"]),
            (["fedroam", "ca", "intermediate", "t"], ["taint"]),
            (["fedroam", "zone", "import", "--net"], ["--netid"]),
            (["fedroam", "zone", "import", "--netid", ""], []),
            (["fedroam", "zone", "import", "--netid", "000013", "dev"], ["devices.csv"]),
            (["fedroam", "member", "list", "-o", ""], ["text", "json"]),
            (["fedroam", "member", "list", "--output", "=", "j"], ["json"]),
            (["fedroam", "--output", "="], ["text", "json"]),
            (["fedroam", "--state", ""], ["S"]),
            (["fedroam", "join", "--lns", "chirpstack-v"], ["chirpstack-v4", "chirpstack-v3"]),
            (["fedroam", "device", "set", "--hidden", "y"], ["yes"]),
            (["fedroam", "member", "list", "--dry"], []),
            (["fedroam-broker", "--ch"], ["--check"]),
            (["fedroam-broker", "-c", "dev"], ["devices.csv"]),
            (["fedroam-ns", "--config", "dev"], ["devices.csv"])):
        assert sorted(complete(pages, tmp_path, *words)) == sorted(want), words


ZSH = """
autoload -Uz compinit && compinit -u -D
fpath=($1 $fpath)
for name in fedroam fedroam-agent fedroam-broker fedroam-ns; do source $1/_$name || exit 1; done
print -r -- $_comps[fedroam] $_comps[fedroam-ns]
_describe() { print -rl -- ${${(P)@[-1]}%%:*} }
_files() { print -r -- files $* }
compadd() { shift; print -rl -- $* }
words=(fedroam --state S member su) CURRENT=5; _fedroam
print -r -- -; words=(fedroam member list -o '') CURRENT=5; _fedroam
print -r -- -; words=(fedroam --state '') CURRENT=3; _fedroam
print -r -- -; words=(fedroam zone import --n) CURRENT=4; _fedroam
print -r -- -; words=(fedroam zone import '') CURRENT=4; _fedroam
"""


def test_zsh_completes(pages):
    done = subprocess.run(["zsh", "-f", "-c", ZSH, "zsh", str(pages / "zsh")], text=True, capture_output=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    first, folder, options, files = (part.split("\n") for part in done.stdout.split("\n-\n")[1:])
    begin = done.stdout.split("\n-\n")[0].split("\n")
    assert begin[0] == "_fedroam _fedroam_ns"
    assert {"suspend", "add", "list"} <= set(begin[1:])  # zsh itself leaves out what does not fit
    assert first == ["text", "json"] and folder == ["files -/"] and "--netid" in options and files[0] == "files"
