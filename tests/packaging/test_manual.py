# SPDX-License-Identifier: Apache-2.0
"""The manual pages say all that there is to say of: every verb and flag, every key of LXC's; README, every verb."""

import json
import os
import re
import shutil
import subprocess

import pytest

from lib import help as helps
from lib.bundle import make_rootfs
from lib.pages import Machine

PAGES = ["runlxc.1", "librunlxc.3", "runlxc-lxc.7"]


def source(repository, page):
    with open(f"{repository}/docs/man/{page}.scd", encoding="utf-8") as file:
        return file.read().replace("\\", "")


def sections(text, level):
    """Title → text, for each heading of this level."""
    parts = re.split(rf"^{'#' * level} (.*)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def verb_sections(text):
    """Verb → its sections, one behind the other; a heading can be of two, and run has several."""
    found = {}
    for title, body in sections(sections(text, 1)["VERBS"], 2).items():
        for words in title.split(", "):
            verb = words.split()[0]
            found[verb] = found.get(verb, "") + title + body
    return found


def names(text, flag):
    """Whether a flag stands there by itself: --log isn't named by --log-format."""
    return re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", text) is not None


def test_every_verb_has_a_section_and_every_section_a_verb(request, repository):
    assert set(verb_sections(source(repository, "runlxc.1"))) == set(helps.verbs(request.config.command))


def test_the_readme_lists_every_verb(request, repository):
    with open(f"{repository}/README.md", encoding="utf-8") as file:
        rows = re.findall(r"^\| (`.*?) \|", sections(file.read(), 2)["Verbs"], flags=re.M)
    told = {name.split()[0] for row in rows for name in re.findall(r"`(.*?)`", row)}
    assert told == set(helps.verbs(request.config.command))


def test_every_flag_is_told_of_where_its_verb_is(request, repository):
    """Or in the section of another verb, where that of its own says that it takes the flags of that one."""
    command = request.config.command
    text = source(repository, "runlxc.1")
    of_verbs = verb_sections(text)
    everywhere = sections(text, 1)["GLOBAL FLAGS"]
    missing = [flag for flag in helps.flags(command) if not all(names(everywhere, word) for word in flag.spellings)]
    for verb, body in of_verbs.items():
        for other in re.findall(r"flags of \*(\w+)\*", body):
            body += of_verbs[other]
        for flag in helps.flags(command, verb):
            if flag.name != "--help":  # told of once for all, at the top
                missing += [f"{verb} {word}" for word in flag.spellings if not names(body, word)]
    assert missing == []


def test_no_flag_is_told_of_that_is_not_there(request, repository):
    """Where it is explained: with an indented text below."""
    command = request.config.command
    for verb, body in verb_sections(source(repository, "runlxc.1")).items():
        heads = re.findall(r"^(\*-.*)\n\t", body, flags=re.M)
        told = {name for head in heads for name in re.findall(r"\*(--[\w-]+)\*", head)}
        told -= {"--kernel-memory", "--kernel-memory-tcp"}  # taken, and in no help
        assert told <= {flag.name for flag in helps.flags(command, verb)}, verb


def test_the_hidden_flags_are_taken(runtime):
    for flag in ("--kernel-memory", "--kernel-memory-tcp"):
        result = runtime("update", flag, "1m", "no-such-container")
        assert "no-such-container" in result.stderr


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_set_without_a_warning(repository, page):
    if not shutil.which("groff") or not shutil.which("scdoc"):
        pytest.skip("groff or scdoc is not installed")
    with open(f"{repository}/docs/man/{page}.scd", "rb") as file:
        made = subprocess.run(["scdoc"], stdin=file, capture_output=True, timeout=20, check=True).stdout
    argv = ["groff", "-man", "-t", "-ww", "-Tutf8", "-k"]
    done = subprocess.run(argv, input=made, capture_output=True, timeout=20, check=True)
    assert done.stderr.decode() == ""
    assert page.partition(".")[0] in done.stdout.decode()


# ---- runlxc-lxc(7) ----

CLASSES = {
    "PASSED": "Keys that LXC applies",
    "PROCESS": "Keys that change what config.json says",
    "OURS": "Keys that change what config.json says",
    "REFUSED": "Keys that are refused",
    "SO": "Keys that are refused",
    "DROPPED": "Keys that are refused",
}


def test_every_key_of_lxcs_is_told_of_in_its_place(repository):
    text = sections(sections(source(repository, "runlxc-lxc.7"), 1)["RAW CONFIGURATION"], 2)
    with open(f"{repository}/src/lxc/raw_keys.c", encoding="utf-8") as file:
        keys = re.findall(r'^\s+\{"(lxc\.[\w.-]+)",\s*(\w+)', file.read(), flags=re.M)
    assert len(keys) > 70
    for key, kind in keys:
        key += "*" if key.endswith(".") else ""
        # "lxc.console.*" may stand for a key of that family, of the same kind.
        family = re.sub(r"\.[^.]*$", ".*", key)
        assert f"_{key}_" in text[CLASSES[kind]] or f"_{family}_" in text[CLASSES[kind]], f"{key} ({kind})"


# ---- the examples, as they stand ----


@pytest.fixture
def machine(request, session_directory, token, workdir):
    """A machine with nobody else's containers, and with runlxc on it."""
    made = Machine(f"{workdir}/machine", token, request.config.command, f"{session_directory}/busybox")
    yield made
    left = made.close()
    assert not left, f"left behind: {left}"


def examples(repository, page, section):
    return re.findall(r"^```\n(.*?)^```$", sections(source(repository, page), 1)[section], flags=re.M | re.S)


def run_example(machine, directory, text):
    """Each line, in this directory; what they print."""
    return machine.must(f"set -ex; cd {directory}\n{text}")


def test_lxcs_tools_on_a_container_that_keeps_its_monitor(machine, repository, workdir, bundle):
    if not shutil.which("lxc-attach"):
        pytest.skip("lxc is not installed")
    made = bundle().shell("trap 'exit 3' TERM; while :; do usleep 10000; done")
    made.write()
    os.symlink(made.path, f"{workdir}/bundle")
    (example,) = examples(repository, "runlxc-lxc.7", "LXC'S TOOLS ON RUNLXC'S CONTAINERS")
    shown = run_example(machine, workdir, example)
    assert re.search(r"^mybox\s+RUNNING", shown, flags=re.M)
    assert shown.endswith("3 exited\n")


def test_a_root_that_lxc_has_made(machine, repository, workdir):
    if not os.path.exists("/usr/share/lxc/templates/lxc-busybox"):
        pytest.skip("lxc is not installed")
    (example,) = examples(repository, "runlxc-lxc.7", "EXAMPLES")
    shown = run_example(machine, workdir, example)
    assert shown.startswith("box\nbox\n")
    assert "lxc.uts.name = box\n" in shown


def test_the_life_of_a_container(machine, repository, workdir, bundle):
    made = bundle().args("sleep", "1000")
    made.write()
    os.symlink(made.path, f"{workdir}/bundle")
    _, life = examples(repository, "runlxc.1", "EXAMPLES")
    assert run_example(machine, workdir, life) == "hello\n"


def with_annotations(machine, made, text):
    """Runs a bundle with annotations that a page shows; what it prints."""
    made.config["annotations"] = json.loads("{" + text + "}")["annotations"]
    made.write()
    return machine.must(f"runlxc --lxc-annotations run --bundle {made.path} annotated")


def test_raw_configuration(machine, repository, bundle):
    machine.must("mount -t tmpfs tmpfs /srv; mkdir /srv/data; echo seen >/srv/data/file")
    example = examples(repository, "runlxc-lxc.7", "RAW CONFIGURATION")[0]
    made = bundle().writable()
    made.shell("hostname; cat /data/file; touch /data/x 2>&1 | grep -o Read-only; grep -o ' /cache tmpfs ' /proc/mounts")
    assert with_annotations(machine, made, example).split() == ["web", "seen", "Read-only", "/cache", "tmpfs"]


def test_a_network_on_lxcs_bridge(machine, repository, bundle):
    machine.must("ip link add lxcbr0 type bridge; ip address add 10.0.3.1/24 dev lxcbr0; ip link set lxcbr0 up")
    (example,) = examples(repository, "runlxc-lxc.7", "NETWORKS")
    made = bundle().shell("ip route; ping -c 1 -W 5 10.0.3.1 >/dev/null && echo answered")
    made.capabilities("CAP_NET_RAW")
    made.with_namespace("network")
    shown = with_annotations(machine, made, example)
    assert "default via 10.0.3.1 " in shown and shown.endswith("answered\n")


# ---- librunlxc(3) ----


def test_every_function_of_the_library_is_named(repository):
    with open(f"{repository}/src/api/runlxc.map", encoding="utf-8") as file:
        functions = set(re.findall(r"^\t(runlxc_\w+);", file.read(), flags=re.M))
    assert len(functions) > 40
    assert set(re.findall(r"\*(runlxc_\w+)\*\(\)", source(repository, "librunlxc.3"))) == functions


def test_the_librarys_example(machine, repository, request, workdir, session_directory):
    build = os.path.dirname(os.path.dirname(os.path.dirname(request.config.command)))
    if not os.path.isdir(f"{build}/src/api"):
        pytest.skip("the command under test is an installed one")
    make_rootfs(f"{workdir}/first", f"{session_directory}/busybox")
    # As a man page shows it: scdoc has taken the backslashes.
    with open(f"{repository}/docs/man/librunlxc.3.scd", encoding="utf-8") as file:
        example = re.search(r"^# EXAMPLE\n\n```\n(.*?)^```$", file.read(), flags=re.M | re.S)[1].replace("\\\\", "\\")
    with open(f"{workdir}/first.c", "w", encoding="utf-8") as file:
        file.write(example)
    flags = f"-I{repository}/include -L{build}/src/api -Wl,-rpath,{build}/src/api -lrunlxc"
    machine.must(f"cc -Wall -Wextra -Werror -o {workdir}/first.program {workdir}/first.c {flags}")
    machine.must(f"mount -t tmpfs tmpfs /srv; mkdir /srv/first; mount --bind {workdir}/first /srv/first")
    assert machine.must(f"{workdir}/first.program") == "hello\n"
