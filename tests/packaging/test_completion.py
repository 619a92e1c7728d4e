# SPDX-License-Identifier: Apache-2.0
"""Completion in bash and zsh: it offers what the program's own help names, and the containers that are there."""

import os
import re
import select
import shutil
import subprocess

import pytest

from lib import help as helps
from lib import system
from lib.terminal import UserTerminal

# Flags of which the help tells the words that they take.
MODES = ["soft", "full", "strict", "ignore"]
WORDS = {
    "--log-format": ["text", "json"],
    "--rootless": ["true", "false", "auto"],
    "checkpoint --empty-ns": ["network"],
    "checkpoint --manage-cgroups-mode": MODES,
    "list --format": ["table", "json"],
    "ps --format": ["table", "json"],
    "restore --empty-ns": ["network"],
    "restore --manage-cgroups-mode": MODES,
    "stats --format": ["table", "json"],
    "stats --sort": ["cpu", "memory"],
    "update --cpu-idle": ["0", "1"],
}
# Verbs whose first word is a container that is there.
OF_A_CONTAINER = "checkpoint config delete events exec kill pause ps resume start state stats update wait".split()
NOT_OF_ONE = "create features list restore run spec".split()


class Bash:
    def __init__(self, command, repository, _):
        self.command = command
        self.directory = f"{repository}/packaging/completion"
        self.script = f"{repository}/tests/packaging/complete.bash"

    def offers(self, *words):
        """What is offered for the last word, which is begun."""
        # bash takes "=" for a word of its own.
        parts = [part for word in words for part in (re.split("(=)", word) if word.startswith("--") else [word])]
        argv = ["bash", "--norc", self.script, f"{self.directory}/runlxc.bash", self.command, *parts]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done
        return set(done.stdout.split())

    def close(self):
        pass


class Zsh:
    """One interactive zsh on a terminal, to which lines are typed."""

    def __init__(self, command, repository, directory):
        if not shutil.which("zsh"):
            pytest.skip("zsh is not installed")
        os.mkdir(directory)
        os.mkfifo(f"{directory}/matches")
        shutil.copy(f"{repository}/tests/packaging/zshrc", f"{directory}/.zshrc")
        # zsh knows a completion by the name of the program, wherever that is.
        self.command = f"{directory}/runlxc"
        os.symlink(command, self.command)
        self.matches = system.Stream(os.open(f"{directory}/matches", os.O_RDWR))
        self.terminal = UserTerminal(200, 400)
        environment = {
            "ZDOTDIR": directory,
            "HOME": directory,
            "PATH": os.environ["PATH"],
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
            "COMPLETIONS": f"{repository}/packaging/completion",
            "MATCHES": f"{directory}/matches",
        }
        self.terminal.run(["zsh", "-d", "-i"], environment)
        assert self._lines("-- ready --") == set()

    def _lines(self, last):
        """What is written until this line."""
        return set(self.matches.until(f"{last}\n".encode()).decode().split("\n")[:-2])

    def offers(self, *words):
        self.terminal.type("\x15" + " ".join([self.command, *words]) + "\t")
        offered = self._lines("-- end --")
        while select.select([self.terminal.master], [], [], 0)[0]:  # what it has echoed, lest that fills
            os.read(self.terminal.master, 65536)
        return offered

    def close(self):
        self.terminal.process.kill()
        self.terminal.process.wait()
        os.close(self.matches.fd)


@pytest.fixture(scope="module", params=[Bash, Zsh], ids=lambda kind: kind.__name__.lower())
def shell(request, repository, session_directory):
    made = request.param(request.config.command, repository, f"{session_directory}/zsh")
    yield made
    made.close()


def test_every_verb_is_offered(shell, request):
    verbs = set(helps.verbs(request.config.command))
    assert len(verbs) >= 20
    assert shell.offers("") == verbs
    assert shell.offers("--debug", "--root", "/tmp", "--log-format=json", "") == verbs
    assert shell.offers("st") == {"start", "state", "stats"}


def test_every_flag_of_every_verb_is_offered(shell, request):
    command = request.config.command
    for verb in [(), *((verb,) for verb in helps.verbs(command))]:
        flags = helps.flags(command, *verb)
        offered = shell.offers(*verb, "--")
        assert {name.rstrip("=") for name in offered} == {flag.name for flag in flags}, verb
        offered = shell.offers(*verb, "-")
        assert {flag.letter for flag in flags if flag.letter} <= {name.rstrip("=") for name in offered}, verb


@pytest.mark.parametrize("flag", WORDS)
def test_the_words_that_a_flag_takes_are_offered(shell, flag):
    assert shell.offers(*flag.split(), "") == set(WORDS[flag])
    assert shell.offers(*flag.split(), WORDS[flag][-1][:1]) == {
        word for word in WORDS[flag] if word.startswith(WORDS[flag][-1][:1])
    }


def test_the_table_of_such_flags_is_whole(request):
    """As far as the help tells by how it calls the value."""
    command = request.config.command
    listed = {
        " ".join([*verb, flag.name])
        for verb in [(), *((verb,) for verb in helps.verbs(command))]
        for flag in helps.flags(command, *verb)
        if flag.value and (flag.value in ("FORMAT", "BOOL", "KEY", "MODE", "NAMESPACE") or "|" in flag.value)
    }
    assert listed == set(WORDS)


def test_a_value_behind_an_equals_sign(shell):
    offered = shell.offers("list", "--format=j")
    assert {word.rpartition("=")[2] for word in offered} == {"json"}
    assert shell.offers("list", "-f", "") == {"table", "json"}


def test_directories_and_files(shell, workdir):
    os.mkdir(f"{workdir}/bundle")
    with open(f"{workdir}/bind.json", "w", encoding="utf-8"):
        pass
    name = lambda path: os.path.basename(path.rstrip("/"))  # noqa: E731
    assert {name(path) for path in shell.offers("run", "--bundle", f"{workdir}/b")} == {"bundle"}
    assert {name(path) for path in shell.offers("exec", "-p", f"{workdir}/b")} == {"bundle", "bind.json"}


def test_containers_are_offered(shell, container):
    one, two = container("sleep", "100").up(), container("sleep", "100").create()
    root = ["--root", one.runtime.root]
    for verb in OF_A_CONTAINER:
        assert shell.offers(*root, verb, "") == {one.id, two.id}, verb
    assert shell.offers(*root, "stats", one.id, two.id[:-1]) >= {two.id}
    assert shell.offers(f"--root={one.runtime.root}", "state", "") == {one.id, two.id}
    for verb in NOT_OF_ONE:
        assert not {one.id, two.id} & shell.offers(*root, verb, ""), verb
    assert not {one.id, two.id} & shell.offers(*root, "exec", one.id, "")


def test_the_two_lists_of_verbs_are_whole(request):
    assert sorted(OF_A_CONTAINER + NOT_OF_ONE) == sorted(helps.verbs(request.config.command))


def test_signals(shell):
    assert {"KILL", "TERM", "HUP"} <= shell.offers("kill", "box", "")


def test_the_flags_of_a_program_in_a_container_are_not_runlxcs(shell):
    assert not shell.offers("exec", "box", "ls", "--")
    assert not shell.offers("run", "--rootfs", "box", "--", "ls", "--")


def test_a_program_that_is_not_there_offers_nothing(repository, workdir):
    assert Bash(f"{workdir}/runlxc", repository, None).offers("") == set()
