# SPDX-License-Identifier: Apache-2.0
"""What the program's own help names: verbs, flags, and the words that a flag may have as its value."""

import re
import subprocess

FLAG = re.compile(r"^  (?:(-.), |    )(--[a-z0-9-]+)(?:=(\S+))?(?: +(.*))?$")


def text(command, *verb):
    done = subprocess.run(
        [command, *verb, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=True
    )
    return done.stdout


def verbs(command):
    return re.findall(r"^   ([a-z-]+) +\S", text(command).partition("COMMANDS:\n")[2], flags=re.M)


class Flag:
    def __init__(self, letter, name, value):
        self.letter, self.name, self.value, self.says = letter, name, value, ""

    @property
    def spellings(self):
        return [self.name, self.letter] if self.letter else [self.name]


def flags(command, *verb):
    found = []
    for line in text(command, *verb).partition("\nCOMMANDS:\n")[0].splitlines():
        matched = FLAG.match(line)
        if matched:
            found.append(Flag(*matched.groups()[:3]))
            found[-1].says = matched[4] or ""
        elif found and line.startswith("   "):
            found[-1].says += f" {line.strip()}"
    assert [flag.name for flag in found].count("--help") == 1, "the help is read wrongly"
    return found
