# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: built, checked by lintian, and installed by dpkg in a place of their own, and tried there."""

import os
import re
import shutil
import subprocess

import pytest

from lib.engine import Place

PACKAGES = ["runlxc", "librunlxc0", "librunlxc-dev"]

pytestmark = pytest.mark.limit(600)  # the first of them builds


def state_of(tree):
    """What lies in it that git doesn't have committed, but for build directories and what Python leaves."""
    argv = ["git", "-C", tree, "status", "--porcelain", "--ignored", "--untracked-files=all"]
    listed = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    others = re.compile(r"!! (build|.*__pycache__|\.pytest_cache)")
    return {line for line in listed.stdout.splitlines() if not others.match(line)}


@pytest.fixture(scope="session")
def packages(repository, session_directory):
    """The directory with the packages. Unit tests and debuggers' symbols are left out: they take most of the time."""
    for program in ("dh", "lintian", "dpkg-buildpackage"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed; \"make deb\" installs it")
    directory = f"{session_directory}/deb"
    before = state_of(repository) if os.path.exists(f"{repository}/.git") else None
    done = subprocess.run(
        [f"{repository}/scripts/build-deb", directory],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, DEB_BUILD_OPTIONS="nocheck noautodbgsym"),
        text=True,
        timeout=550,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert before is None or state_of(repository) == before
    return directory


@pytest.fixture(scope="session")
def machine(packages, session_directory, token, request, at_the_end):
    """This machine with the packages installed by its own dpkg, which knows what they need. Nobody else sees it."""
    directory = f"{session_directory}/packages-installed"
    made = Place(directory, token, request.config.command, "etc usr var")
    at_the_end.append(made.close)
    files = [os.path.join(packages, name) for name in os.listdir(packages) if name.endswith(".deb")]
    done = made.inside("dpkg", "--install", *files, timeout=200)
    assert done.status == 0, done
    return made


def test_these_packages_are_built(packages):
    assert {name.partition("_")[0] for name in os.listdir(packages) if name.endswith(".deb")} == set(PACKAGES)


def test_the_version_is_the_programs(packages, request):
    argv = [request.config.command, "--version"]
    number = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20).stdout.split()[2]
    for name in os.listdir(packages):
        assert not name.endswith(".deb") or re.match(rf"[\w-]+_{re.escape(number)}-1_", name)


def test_the_command_tells_the_commit(machine, repository):
    if not os.path.exists(f"{repository}/.git"):
        pytest.skip("not a checkout of git")
    argv = ["git", "-C", repository, "rev-parse", "HEAD"]
    commit = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    assert f"commit: {commit}\n" in machine.inside("/usr/bin/runlxc", "--version").stdout


def test_lintian_would_have_found_an_error(packages, workdir):
    """It is lintian's exit status that the build goes by: a package without its copyright file isn't passed."""
    (package,) = [name for name in os.listdir(packages) if name.startswith("librunlxc0_")]
    run = lambda *argv, check=True: subprocess.run(  # noqa: E731
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=check
    )
    run("dpkg-deb", "--raw-extract", f"{packages}/{package}", f"{workdir}/broken")
    os.unlink(f"{workdir}/broken/usr/share/doc/librunlxc0/copyright")
    run("dpkg-deb", "--root-owner-group", "--build", f"{workdir}/broken", f"{workdir}/broken.deb")
    done = run("lintian", "--fail-on", "error", f"{workdir}/broken.deb", check=False)
    assert done.returncode == 2 and "no-copyright-file" in done.stdout


def test_what_is_in_no_package_by_name_is_depended_on(machine):
    """liblxc is loaded by its name, and linked to by a program inside the library only."""
    for package in ("runlxc", "librunlxc0"):
        shown = machine.inside("dpkg-query", "--show", "--showformat", "${Depends}", package)
        assert "liblxc1" in shown.stdout
    assert machine.inside("sh", "-c", "dpkg --audit; dpkg --verify runlxc librunlxc0 librunlxc-dev").stdout == ""


def test_the_installed_command_runs_a_container(machine, bundle, token):
    made = bundle().shell("hostname; exit 3")
    made.write()
    done = machine.inside("/usr/bin/runlxc", "run", "--bundle", made.path, f"{token}-deb")
    assert (done.status, done.stdout, done.stderr) == (3, "box\n", "")
    assert machine.inside("/usr/bin/runlxc", "list", "--quiet").stdout == ""


@pytest.mark.parametrize("how", ["shared", "static"])
def test_a_program_is_built_with_the_installed_library_and_runs_one(machine, repository, bundle, workdir, token, how):
    with open(f"{repository}/docs/library.md", encoding="utf-8") as file:
        text = file.read()
    with open(f"{workdir}/first.c", "w", encoding="utf-8") as file:
        file.write(re.search(r"^```c\n(/\* first.c \*/.*?)^```$", text, flags=re.M | re.S)[1])
    shared, static = re.findall(r"^```sh\n(cc -o first .*?)^```$", text, flags=re.M | re.S)
    done = machine.inside("sh", "-ec", f"cd {workdir} && {shared if how == 'shared' else static}")
    assert (done.status, done.stderr) == (0, ""), done
    libraries = machine.inside("ldd", f"{workdir}/first").stdout
    assert ("/librunlxc.so.0 " in libraries) == (how == "shared")
    root = bundle().rootfs
    done = machine.inside(f"{workdir}/first", f"{token}-first-{how}", root, "sh", "-c", "echo hello; exit 3")
    assert (done.status, done.stdout) == (3, "hello\nexited with status 3\n"), done


def test_manual_pages_and_completion_are_where_they_are_looked_for(machine):
    for page in ("man1/runlxc.1", "man3/librunlxc.3", "man7/runlxc-lxc.7"):
        assert machine.inside("test", "-s", f"/usr/share/man/{page}.gz").status == 0
    script = "source /usr/share/bash-completion/completions/runlxc; complete -p runlxc"
    assert machine.inside("bash", "--norc", "-c", script).stdout == "complete -F _runlxc runlxc\n"
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")
    script = "autoload -Uz compinit; compinit -D -u; print $_comps[runlxc]; whence -v _runlxc"
    found = machine.inside("zsh", "-f", "-c", script).stdout
    assert found.splitlines()[0] == "_runlxc", found


def test_nothing_is_left_when_they_are_purged(machine):
    done = machine.inside("dpkg", "--purge", *PACKAGES, timeout=200)
    assert done.status == 0, done
    # What dpkg has put there was written in this place; the machine's own, if it has one, is covered by devices.
    written = [f"{machine.directory}/{place}/upper" for place in ("etc", "usr", "var")]
    assert machine.inside("find", *written, "-name", "*runlxc*", "!", "-type", "c").stdout == ""
