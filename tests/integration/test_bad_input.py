# SPDX-License-Identifier: Apache-2.0
"""Bad input: one line on standard error that says what and where, a non-zero exit, nothing left.

That nothing is left on the host is checked for every test; here also that the state root is empty.
"""

import json
import os

import pytest


@pytest.fixture
def refused(runtime, bundle):
    """Runs a bundle whose config.json was spoiled; it must be refused in a line with these words."""

    def check(*words, text=None, change=None, verb="run"):
        made = bundle()
        if change:
            change(made)
        made.write(text)
        result = runtime(verb, "--bundle", made.path, runtime.new_id())
        result.assert_refused(*words)
        assert result.stdout == "" or not runtime.is_ours
        assert runtime.list() == []
        return result

    return check


VALID = '{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": {"args": ["true"], "cwd": "/"}}'


# ---- not a document ----


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", "{", "[]", "null", "42", '"text"', VALID[:40], VALID[:-1], VALID + "x", "{} {}"),
        *("\0", "\ufeff", '{"ociVersion": "1.0.2",}', "{'ociVersion': '1.0.2'}", b"\xff\xfe\x00"),
    ],
    ids=lambda text: repr(text)[:30],
)
def test_text_that_is_not_a_json_object(refused, text):
    refused("config.json", text=text)


def test_a_truncated_config(refused, bundle):
    text = json.dumps(bundle().config)
    for length in (1, len(text) // 2, len(text) - 1):
        refused("config.json", text=text[:length])


def test_a_config_of_100_megabytes_is_refused_before_it_is_read(refused):
    refused("config.json", text=b'{"annotations": {"a": "' + b"x" * (100 << 20) + b'"}}')


def test_a_deeply_nested_config(refused):
    refused("config.json", text='{"a":' + "[" * 100000 + "]" * 100000 + "}")


def test_a_config_that_is_a_directory(runtime, bundle):
    made = bundle()
    os.mkdir(f"{made.path}/config.json")
    runtime("run", "-b", made.path, runtime.new_id()).assert_refused("config.json")


def test_a_config_that_is_missing(runtime, bundle):
    runtime("run", "-b", bundle().path, runtime.new_id()).assert_refused("config.json")


def test_a_bundle_that_is_missing(runtime):
    result = runtime("create", "-b", "/no/such/bundle", runtime.new_id())
    result.assert_refused("/no/such/bundle")


def test_a_bundle_that_is_a_file(runtime):
    runtime("create", "-b", "/etc/passwd", runtime.new_id()).assert_refused("/etc/passwd")


# ---- wrong types and values ----


def setter(path, value):
    """A change of one field, given as "process.user.uid" or "mounts.0.type"."""

    def change(made):
        place = made.config
        *parents, last = path.split(".")
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        if isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value

    return change


@pytest.mark.parametrize(
    "path, value, name",
    [
        ("root", "rootfs", "root"),
        ("root.path", 5, "root.path"),
        ("process", [], "process"),
        ("process.args", "true", "process.args"),
        ("process.args", [1], "process.args[0]"),
        ("process.args", {}, "process.args"),
        ("process.env", [1], "process.env[0]"),
        ("process.cwd", 7, "process.cwd"),
        ("process.terminal", "yes", "process.terminal"),
        ("process.user.uid", "0", "process.user.uid"),
        ("process.user.uid", -1, "process.user.uid"),
        ("process.user.uid", 1 << 32, "process.user.uid"),
        ("process.user.gid", 1.5, "process.user.gid"),
        ("process.user.additionalGids", [-1], "process.user.additionalGids[0]"),
        ("process.oomScoreAdj", "0", "process.oomScoreAdj"),
        ("process.rlimits", [{"type": "RLIMIT_NOFILE", "soft": -1, "hard": 1}], "process.rlimits[0].soft"),
        ("process.capabilities.bounding", "CAP_KILL", "process.capabilities.bounding"),
        ("hostname", ["box"], "hostname"),
        ("mounts", {}, "mounts"),
        ("mounts.0", "proc", "mounts[0]"),
        ("mounts.1.options", "ro", "mounts[1].options"),
        ("mounts.1.destination", 1, "mounts[1].destination"),
        ("linux.namespaces", "pid", "linux.namespaces"),
        ("linux.namespaces.0", "pid", "linux.namespaces[0]"),
        ("linux.maskedPaths", "/proc", "linux.maskedPaths"),
        ("linux.sysctl", [], "linux.sysctl"),
        ("linux.sysctl", {"kernel.shmmni": 1}, "linux.sysctl"),
        ("linux.resources.memory", 64, "linux.resources.memory"),
        ("linux.resources.memory.limit", "64M", "linux.resources.memory.limit"),
        ("linux.resources.cpu.shares", -1, "linux.resources.cpu.shares"),
        ("linux.resources.devices", {}, "linux.resources.devices"),
        ("linux.seccomp", "unconfined", "linux.seccomp"),
        ("linux.seccomp", {"defaultAction": 5}, "linux.seccomp.defaultAction"),
        ("linux.uidMappings", {"containerID": 0}, "linux.uidMappings"),
        ("annotations", {"key": 1}, "annotations"),
        ("hooks", [], "hooks"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value),
)
def test_a_field_of_the_wrong_type(refused, path, value, name):
    refused("config.json", name, change=setter(path, value))


@pytest.mark.ours
@pytest.mark.parametrize(
    "path, value, name",
    [
        ("ociVersion", "2.0.0", "ociVersion"),
        ("ociVersion", "", "ociVersion"),
        ("ociVersion", None, "ociVersion"),
        ("process.args", ["a\0b"], "process.args[0]"),
        ("process.env", ["a\0b=c"], "process.env[0]"),
        ("root.path", "root\0fs", "root.path"),
        ("process.oomScoreAdj", 5000, "process.oomScoreAdj"),
        ("process.user.umask", 0o10000, "process.user.umask"),
        ("mounts.0.options", ["nosuchoption", "ro"], "mounts[0]"),
        ("mounts.0.options", ["bind", "nosuchoption"], "mounts[0].options[1]"),
        ("linux.rootfsPropagation", "nosuch", "linux.rootfsPropagation"),
        ("linux.devices", [{"path": "/dev/x", "type": "c", "major": -5, "minor": 1}], "linux.devices[0]"),
        ("process.scheduler", {"policy": "SCHED_NOSUCH"}, "process.scheduler"),
        ("hooks.prestart", [{"path": "relative"}], "hooks.prestart[0].path"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value),
)
def test_a_field_with_a_value_that_makes_no_sense(refused, path, value, name):
    refused("config.json", name, change=setter(path, value))


@pytest.mark.parametrize(
    "path", ["root", "process", "process.args", "process.cwd", "root.path", "mounts.0.destination"]
)
def test_a_required_field_that_is_missing(refused, path):
    def remove(made):
        place = made.config
        *parents, last = path.split(".")
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place[key]
        del place[last]

    refused(path.replace(".0", "[0]"), change=remove)


def test_no_program_at_all(refused):
    refused("process.args", change=setter("process.args", []))


@pytest.mark.ours
@pytest.mark.parametrize(
    "path, value, name",
    [
        ("linux.mountLabel", "no label", "linux.mountLabel"),
        ("linux.intelRdt", {"closID": "x"}, "linux.intelRdt"),
        ("linux.intelRdt", {"closID": "a/b"}, "linux.intelRdt.closID"),
        ("linux.intelRdt", {"memBwSchema": "L3:0=f"}, "linux.intelRdt.memBwSchema"),
        ("linux.intelRdt", {"schemata": ["L3:0=f\nMB:0=10"]}, "linux.intelRdt.schemata[0]"),
    ],
)
def test_a_field_that_cannot_be_applied_is_refused_and_not_ignored(refused, path, value, name):
    refused(name, change=setter(path, value))


def test_unknown_fields_are_ignored(container):
    """The specification's section "Extensibility"."""
    made = container("true")
    made.bundle.config["x-vendor"] = {"deep": [1, None]}
    made.bundle.process["x-vendor"] = 1
    made.bundle.linux["x-vendor"] = True
    made.run_ok()


def test_nulls_are_absent_fields(container):
    made = container("true")
    made.bundle.config.update(hooks=None, annotations=None)
    made.bundle.process.update(rlimits=None, oomScoreAdj=None, apparmorProfile=None)
    made.bundle.linux.update(sysctl=None, devices=None, seccomp=None, uidMappings=None, rootfsPropagation=None)
    made.run_ok()


# ---- the root ----


def test_a_root_that_is_missing(refused):
    refused("/no/such/root", change=setter("root.path", "/no/such/root"))


def test_a_relative_root_that_is_missing(refused):
    refused("nowhere", change=setter("root.path", "nowhere"))


def test_a_root_that_is_a_file(refused):
    refused("/etc/passwd", change=setter("root.path", "/etc/passwd"))


def test_an_empty_root(container, workdir):
    """A directory without even a program."""
    made = container("true")
    os.mkdir(f"{workdir}/empty")
    made.bundle.config["root"] = {"path": f"{workdir}/empty"}
    result = made.run()
    result.assert_refused("true")
    assert "executable file not found" in result.stderr and not made.exists


# ---- ids ----

BAD_IDS = ["..", ".", "", "a/b", "../x", "/", "/etc", "a b", "a\nb", "x" * 1025, "ä", "a*", "~", "a:b"]


@pytest.mark.parametrize("id_", BAD_IDS, ids=lambda id_: repr(id_[:20]))
def test_a_bad_id_is_refused_by_create(runtime, bundle, id_):
    made = bundle().write()
    result = runtime("create", "--bundle", made.path, id_)
    result.assert_refused("id")
    assert runtime.list() == []


@pytest.mark.parametrize("verb", ["start", "state", "kill", "delete", "ps", "pause", "resume"])
@pytest.mark.parametrize("id_", ["..", "../victim", "/etc", ""], ids=repr)
def test_a_bad_id_is_refused_by_every_verb(runtime, verb, id_):
    runtime(verb, id_).assert_refused()


def test_a_bad_id_never_reaches_a_directory_outside_the_state_root(runtime, container, workdir):
    container("sleep", "100").create()
    os.mkdir(f"{workdir}/victim")
    with open(f"{workdir}/victim/state.json", "w", encoding="utf-8") as file:
        file.write("{}")
    for id_ in ("../victim", "..", f"{workdir}/victim", "./../victim"):
        runtime("delete", "--force", id_)
        runtime("kill", id_, "KILL")
    assert os.listdir(f"{workdir}/victim") == ["state.json"]
    assert len(runtime.list()) == 1


# ---- flags and verbs ----


@pytest.mark.parametrize(
    "args, word",
    [
        pytest.param(["nosuchverb"], "nosuchverb", marks=pytest.mark.ours),
        (["state", "--no-such-flag", "x"], "no-such-flag"),
        (["create", "--bundle"], "bundle"),
        (["create", "--preserve-fds", "many", "x"], "preserve-fds"),
        (["--no-such-flag", "state", "x"], "no-such-flag"),
        (["--log-format", "xml", "list"], "xml"),
        (["state"], "state"),
        (["state", "one", "two"], "state"),
        (["delete"], "delete"),
        (["kill"], "kill"),
        (["run"], "run"),
        (["exec", "x"], "exec"),
        (["wait"], "wait"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line(runtime, args, word):
    runtime(*args).assert_refused(word)


# ---- the host ----


def test_a_user_without_permission_for_the_state_root(runtime, bundle):
    made = bundle().write()
    argv = runtime.argv("create", "--bundle", made.path, runtime.new_id())
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    result = runtime(argv=[*nobody, *argv])
    result.assert_refused(runtime.root)
    assert "permission denied" in result.stderr.lower()
    assert not os.path.exists(runtime.root)


def test_a_state_root_that_is_a_file(runtime, bundle):
    with open(runtime.root, "w", encoding="utf-8") as file:
        file.write("mine")
    made = bundle().write()
    runtime("create", "--bundle", made.path, runtime.new_id()).assert_refused(runtime.root)
    with open(runtime.root, encoding="utf-8") as file:
        assert file.read() == "mine"


@pytest.mark.parametrize("full", ["no block", "no inode"])
@pytest.mark.parametrize("verb", ["create", "run"])
def test_a_full_state_root(runtime, bundle, full, verb):
    """A small tmpfs without room, in a mount namespace of its own."""
    made = bundle().write()
    os.mkdir(runtime.root)
    options = "size=64k,mode=700" + (",nr_inodes=2" if full == "no inode" else "")
    fill = 'dd if=/dev/zero of="$0/fill" bs=4k 2>/dev/null; ' if full == "no block" else 'touch "$0/fill"; '
    script = f'mount -t tmpfs -o {options} tmpfs "$0"; {fill}"$@"; status=$?; ls -A "$0"; exit $status'
    argv = runtime.argv(verb, "--bundle", made.path, runtime.new_id())
    result = runtime(argv=["unshare", "-m", "sh", "-c", script, runtime.root, *argv])
    result.assert_refused(runtime.root)
    if runtime.is_ours:
        assert "no space left on device" in result.stderr.lower()
        assert result.stdout == "fill\n"


def test_a_pid_file_that_cannot_be_written(runtime, bundle):
    made = bundle().args("sleep", "100").write()
    id_ = runtime.new_id()
    result = runtime("create", "--bundle", made.path, "--pid-file", "/no/such/directory/pid", id_)
    result.assert_refused("/no/such/directory/pid")
    assert runtime.list() == []


def test_a_pid_file_in_a_full_file_system(runtime, bundle):
    made = bundle().args("sleep", "100").write()
    result = runtime("create", "--bundle", made.path, "--pid-file", "/dev/full/pid", runtime.new_id())
    result.assert_refused("/dev/full/pid")
    assert runtime.list() == []


@pytest.mark.ours
def test_output_that_cannot_be_written_is_a_failure(container):
    made = container("sleep", "100").create()
    with open("/dev/full", "wb") as full:
        assert made.runtime("state", made.id, stdout=full).returncode != 0


@pytest.mark.ours
def test_a_state_file_that_was_damaged_is_an_error_and_can_be_deleted(container):
    made = container("sleep", "100").create()
    pid = made.pid
    os.kill(pid, 9)
    made.wait()
    with open(f"{made.runtime.root}/{made.id}/state.json", "r+", encoding="utf-8") as file:
        file.truncate(20)
    made.runtime("state", made.id).assert_refused(made.id)
    made.delete("--force")
    assert not made.exists
