# SPDX-License-Identifier: Apache-2.0
"""Opening a driver, and what it refuses to run: D01, D02, D03, D41."""

import contextlib
import json
import os
import subprocess
import threading

import pytest

from lib import system

# ---- D01, D02: opening ----


def test_D01_the_root_is_made_and_is_nobody_elses(runlxc, workdir):
    umask = os.umask(0)
    try:
        with runlxc.Driver(f"{workdir}/a/b/root") as driver:
            assert driver.list() == []
    finally:
        os.umask(umask)
    assert os.stat(f"{workdir}/a/b/root").st_mode & 0o7777 == 0o700
    with runlxc.Driver(f"{workdir}/a/b/root") as driver:  # one that is there
        assert driver.list() == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/dev/null/root", '"/dev/null": not a directory'),
        ("/proc/root", '"/proc/root": no such file'),
        ("/etc/passwd", '"/etc/passwd": not a directory'),
    ],
)
def test_D01_one_that_can_not_be_made_is_an_error(runlxc, path, words):
    with pytest.raises(runlxc.Error) as error:
        runlxc.Driver(path)
    assert words in error.value.message
    assert "\n" not in error.value.message
    assert error.value.errno != 0


@pytest.mark.parametrize(("mode", "owner"), [(0o770, 0), (0o707, 0), (0o700, 1000)])
def test_D01_one_that_others_may_write_is_refused(runlxc, workdir, mode, owner):
    root = f"{workdir}/root"
    os.mkdir(root)
    os.chmod(root, mode)
    os.chown(root, owner, owner)
    with pytest.raises(runlxc.Error, match="root"):
        runlxc.Driver(root)
    assert os.stat(root).st_mode & 0o777 == mode


def test_D01_without_liblxc_it_is_an_error(client, workdir):
    """A loader that finds nothing of LXC's: a directory with a liblxc.so.1 that is none goes first."""
    os.mkdir(f"{workdir}/lib")
    with open(f"{workdir}/lib/liblxc.so.1", "wb"):
        pass
    result = client("name", f"{workdir}/root", env={**client.environment, "LD_LIBRARY_PATH": f"{workdir}/lib"})
    assert result.returncode == 1
    assert "Failed to load liblxc" in result.stdout
    assert result.stderr == ""


def test_D02_the_name_is_lxc_and_its_version(driver):
    version = subprocess.run(["pkg-config", "--modversion", "lxc"], check=True, stdout=subprocess.PIPE, text=True)
    assert driver.name == f"lxc-{version.stdout.strip()}"


# ---- D03: the Command as a struct ----


def test_D03_a_command_without_a_network_is_refused(driver, command):
    document = command()
    del document["network"]
    with refused(driver, "empty network namespace path for non-container network"):
        driver.run(document)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"id": ""}, "id: is missing"),
        ({"id": "../a"}, "id: invalid container id format"),
        ({"rootfs": "/no/such"}, 'rootfs: "/no/such": no such file'),
        ({"rootfs": "relative"}, "rootfs:"),
        ({"cap_add": ["FLY"]}, 'cap_add[0]: "FLY" is not a capability'),
        ({"mounts": [{"source": "/no/such", "destination": "/a"}]}, 'mounts[0].source: "/no/such"'),
        ({"process_config": {"entrypoint": ""}}, "process_config.entrypoint: is missing"),
        ({"process_config": {"entrypoint": "true", "user": "nobody-here"}}, "process_config.user:"),
        ({"working_dir": "/no/such"}, "working_dir:"),
        ({"unknown": 1}, "unknown: unknown field"),
        ({"lxc_config": ["lxc.no.such = 1"]}, "lxc.no.such"),
    ],
)
def test_D03_what_is_wrong_is_named(driver, command, fields, words):
    with refused(driver, words):
        driver.run(command(**fields))


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("network", "empty network namespace path for non-container network"),
        ("id", "id: is missing"),
        ("rootfs", "rootfs: is missing"),
        ("entrypoint", "process_config.entrypoint: is missing"),
    ],
)
def test_D03_what_a_struct_lacks_is_named(client, workdir, rootfs, field, words):
    result = client("lacking", f"{workdir}/state", rootfs, field)
    assert result.returncode == 1
    assert words in result.stdout
    assert os.listdir(f"{workdir}/state") == []


def test_D03_text_that_is_no_command(runlxc, driver):
    for text in ("", "{", "[]", b"\xff", '{"id": "a\\u0000b"}'):
        with pytest.raises(runlxc.Error, match="command.json"):
            driver.run(text)


# ---- D41: failed starts leave nothing ----


@contextlib.contextmanager
def refused(driver, *words):
    """The call must be refused with these words in one line, and leave nothing of a container."""
    before = descriptors(), zombies()
    with pytest.raises(Exception) as caught:
        yield caught
    assert caught.typename == "Error", repr(caught.value)
    for word in words:
        assert word in caught.value.message
    assert "\n" not in caught.value.message
    assert driver.list() == []
    assert (descriptors(), zombies()) == before


def descriptors():
    return {number: target for number in os.listdir("/proc/self/fd") if (target := link(number))}


def link(number):
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except FileNotFoundError:  # what listed the directory
        return None


def zombies():
    """Children that were not reaped."""
    stats = ((pid, system.process_stat(pid)) for pid in system.pids())
    return [pid for pid, stat in stats if stat and stat[1] == os.getpid() and stat[0] in "ZX"]


@pytest.mark.parametrize(
    ("program", "exit_code", "words"),
    [
        ("/no/such", 127, "no such file or directory"),
        ("no-such", 127, "executable file not found in $PATH"),
        ("/etc/passwd", 126, "permission denied"),
    ],
)
def test_D41_a_program_that_can_not_be_executed(driver, command, program, exit_code, words):
    with refused(driver, program, words) as result:
        driver.run(command(program))
    assert result.value.exit_code == exit_code


@pytest.mark.parametrize("tty", [False, True])
def test_D41_a_start_that_fails_with_pipes_and_a_callback_given(runlxc, driver, command, tty):
    with refused(driver, "/no/such"):
        driver.run(
            command("/no/such", tty=tty),
            stdin=runlxc.PIPE,
            stdout=runlxc.PIPE,
            stderr=runlxc.PIPE,
            started=lambda pid: None,
        )


def test_D41_a_callback_that_raises(driver, command):
    before = descriptors(), zombies()

    def started(_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        driver.run(command("sleep", "1000"), started=started)
    assert (driver.list(), descriptors(), zombies()) == ([], *before)


def test_D41_an_id_that_is_taken(driver, command, up):
    first = up()
    document = command(id=first.id)
    with pytest.raises(Exception, match="already exists|exist"):
        driver.run(document)
    assert driver.info(first.id).running


def test_D41_a_stream_that_is_no_descriptor(runlxc, driver, command):
    with refused(driver, "stream 1"):
        driver.run(command(), stdout=1023)
    with pytest.raises(ValueError):
        driver.run(command(), stdout=-7)


def test_D41_a_root_that_has_no_room(runlxc, workdir, command):
    """A state root on a file system that is full, sooner or later."""
    root = f"{workdir}/full"
    os.mkdir(root, 0o700)
    outcomes, children = [], zombies()
    for pages in range(1, 9):
        size = f"size={pages * 4}k,mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", root], check=True)
        try:
            with open(f"{root}/.fill", "wb", buffering=0) as file:
                file.write(b"x" * 4096)
            with runlxc.Driver(root) as driver:
                try:
                    with driver.run(command("true")) as process:
                        outcomes.append(process.wait(20).status)
                except runlxc.Error as error:
                    assert "no space left on device" in error.message
                    outcomes.append("refused")
            assert (os.listdir(root), zombies()) == ([".fill"], children)
        finally:
            subprocess.run(["umount", root], check=True)
    assert (outcomes[0], outcomes[-1]) == ("refused", 0)


def test_D41_no_descriptors_left(client, workdir, rootfs, new_id):
    """At every limit from where nothing works to where all does: an error or a container, and nothing left."""
    result = client("descriptors", f"{workdir}/state", rootfs, new_id())
    assert (result.returncode, result.stderr) == (0, "")
    assert "failed at" in result.stdout and "worked at" in result.stdout
    assert os.listdir(f"{workdir}/state") == []


@pytest.mark.parametrize("kind", ["createRuntime", "poststart"])
def test_D41_a_hook_that_fails(driver, oci_bundle, new_id, kind, workdir):
    bundle = oci_bundle("sleep 1000")
    bundle.config["hooks"] = {
        kind: [{"path": "/bin/false"}],
        "poststop": [{"path": "/bin/touch", "args": ["touch", f"{workdir}/stopped"]}],
    }
    with refused(driver, kind):
        driver.run_bundle(new_id(), bundle.path, json.dumps(bundle.config))
    assert os.path.exists(f"{workdir}/stopped")


def test_D41_a_bundle_without_a_config(driver, new_id, workdir):
    with refused(driver, "config.json"):
        driver.run_bundle(new_id(), workdir)


@pytest.mark.parametrize("lxc_monitor", [False, True])
def test_D41_a_bundle_whose_program_is_not_there(driver, oci_bundle, new_id, lxc_monitor):
    bundle = oci_bundle()
    bundle.args("/no/such")
    with refused(driver, "/no/such"):
        driver.run_bundle(new_id(), bundle.path, bundle.config, lxc_monitor=lxc_monitor)


def test_D41_several_that_fail_at_once(runlxc, driver, command):
    """A failure of one thread's is none of another's."""
    results, before = [], zombies()

    def start(document):
        try:
            with driver.run(document) as process:
                results.append(process.wait(20).status)
        except runlxc.Error as error:
            results.append(error.exit_code)

    threads = [threading.Thread(target=start, args=(command(p),)) for p in ["true", "/no/such", "false", "no"] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == [0] * 3 + [1] * 3 + [127] * 6
    assert (driver.list(), zombies()) == ([], before)
