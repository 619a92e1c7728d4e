# SPDX-License-Identifier: Apache-2.0
"""create and start: what an engine's shim or conmon builds on."""

import os
import re
import subprocess

import pytest

from lib import system
from lib.system import Stream


def test_create_returns_before_the_program_runs(container):
    made = container(shell="echo ran; sleep 100").create()
    assert made.status == "created"
    assert "ran" not in made.output
    assert system.process_alive(made.pid)
    made.start()
    made.wait_output("ran")


def test_a_container_goes_from_created_to_running_to_stopped(container):
    made = container("sleep", "100").create()
    assert made.status == "created"
    made.start()
    assert made.status == "running"
    made.stop()
    assert made.status == "stopped"
    assert made.state()["pid"] == 0
    made.delete()
    assert "does not exist" in made.runtime.fails("state", made.id).stderr


def test_the_pid_file_holds_digits_and_nothing_else(container):
    made = container("sleep", "100").create()
    with open(made.pid_file, "rb") as file:
        text = file.read()
    assert re.fullmatch(rb"[1-9][0-9]*", text)
    assert made.state()["pid"] == int(text)


def test_the_pid_in_the_pid_file_is_the_containers_first_process(container):
    made = container("sleep", "100").create()
    assert system.process_status(made.pid)["NSpid"].split() == [str(made.pid), "1"]


def test_the_pid_does_not_change_with_start(container):
    made = container("sleep", "100").create()
    before = system.process_stat(made.pid)[2]
    made.start()
    assert made.state()["pid"] == made.pid
    assert system.process_stat(made.pid)[2] == before
    with open(f"/proc/{made.pid}/cmdline", "rb") as file:
        assert file.read() == b"sleep\x00100\x00"


def test_the_pid_file_outlives_the_container(container):
    made = container("sleep", "100").create()
    made.delete("--force")
    assert os.path.exists(made.pid_file)


def test_a_relative_pid_file_is_meant_from_the_current_directory(runtime, container, workdir):
    made = container("sleep", "100")
    made.bundle.write()
    runtime.ok("create", "-b", made.bundle.path, "--pid-file", "here.pid", made.id, cwd=workdir)
    with open(f"{workdir}/here.pid", encoding="utf-8") as file:
        assert int(file.read()) == made.state()["pid"]


def test_a_relative_bundle_is_meant_from_the_current_directory(runtime, container, workdir):
    made = container("sleep", "100")
    made.bundle.write()
    runtime.ok("create", "--bundle", os.path.basename(made.bundle.path), made.id, cwd=workdir)
    assert made.state()["bundle"] == made.bundle.path


def test_the_bundle_is_the_current_directory_when_none_is_given(runtime, container):
    made = container("sleep", "100")
    made.bundle.write()
    runtime.ok("create", made.id, cwd=made.bundle.path)
    assert made.state()["bundle"] == made.bundle.path


def test_the_first_process_is_in_its_final_cgroups_when_create_returns(container):
    made = container("sleep", "100").create()
    before = system.cgroup_paths(made.pid)
    made.start()
    assert system.cgroup_paths(made.pid) == before


def test_starting_twice_is_an_error(container):
    made = container("sleep", "100").up()
    result = made.runtime.fails("start", made.id)
    assert "running" in result.stderr
    assert made.status == "running"


def test_starting_a_stopped_container_is_an_error(container):
    made = container("true").up()
    made.wait()
    assert "stopped" in made.runtime.fails("start", made.id).stderr


def test_starting_an_unknown_container_is_an_error(runtime):
    assert "does not exist" in runtime.fails("start", runtime.new_id()).stderr


def test_creating_an_id_twice_is_an_error_and_leaves_the_first_alone(container):
    made = container("sleep", "100").create()
    result = made.runtime.fails("create", "--bundle", made.bundle.path, made.id)
    assert "exist" in result.stderr
    assert made.status == "created"
    assert made.start().status == "running"


def test_an_id_can_be_used_again_after_delete(container):
    made = container("true").up()
    made.wait()
    made.delete()
    made.bundle.shell("echo second")
    made.up()
    made.wait_output("second")


def test_ids_hold_what_runc_allows(runtime, bundle):
    for id_ in ("A.b_c+d-e9", "0", "x" * 200):
        made = runtime.container(bundle().args("sleep", "100"), f"{runtime.token}{id_}").create()
        assert made.state()["id"] == made.id
        made.delete("--force")


def test_a_containers_output_ends_when_it_ends(container):
    """Nothing else holds its streams: an engine reads them to their end."""
    made = container(shell="echo out; echo err >&2")
    out, err = os.pipe(), os.pipe()
    try:
        made.create(stdout=out[1], stderr=err[1])
        os.close(out[1])
        os.close(err[1])
        made.start()
        assert Stream(out[0]).rest() == b"out\n"
        assert Stream(err[0]).rest() == b"err\n"
    finally:
        os.close(out[0])
        os.close(err[0])


@pytest.mark.parametrize("verb", [("start",), ("kill", "KILL"), ("delete", "--force")], ids=lambda v: v[0])
def test_start_kill_and_delete_leave_nobody_holding_their_streams(container, verb):
    """The shim reads both on one pipe to its end, while the container lives on."""
    made = container("sleep", "100").create()
    if verb[0] != "start":
        made.start()
    name, *arguments = verb
    flags = [a for a in arguments if a.startswith("-")]
    rest = [a for a in arguments if not a.startswith("-")]
    reader, writer = os.pipe()
    try:
        made.runtime.ok(name, *flags, made.id, *rest, stdout=writer, stderr=writer)
        os.close(writer)
        assert Stream(reader).rest() == b""
    finally:
        os.close(reader)


def test_stdin_reaches_the_program(container):
    made = container("cat")
    reader, writer = os.pipe()
    made.create(stdin=reader)
    os.close(reader)
    made.start()
    os.write(writer, b"typed\n")
    made.wait_output("typed")
    os.close(writer)  # the end of input ends cat
    made.wait()


def test_a_program_that_is_missing_fails_create_or_start_and_says_so(container):
    made = container("no-such-program")
    made.bundle.write()
    created = made.runtime("create", "--bundle", made.bundle.path, made.id)
    failed = created if created.returncode else made.runtime.fails("start", made.id)
    # The words that Docker turns into exit status 127.
    assert "executable file not found" in failed.stderr
    assert "no-such-program" in failed.stderr
    made.runtime.ok("delete", "--force", made.id)


def test_a_failed_create_leaves_nothing(container):
    made = container("true")
    made.bundle.mount("/mnt", "/no/such/source", "bind")
    made.bundle.write()
    made.runtime.fails("create", "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id)
    assert not made.exists
    assert not made.runtime.list()


def test_create_works_with_an_empty_environment(container):
    """Podman calls with next to nothing in it: no PATH, no HOME."""
    made = container("sleep", "100").create(env={"XDG_RUNTIME_DIR": "/run/user/0"})
    made.runtime.ok("start", made.id, env={})
    assert made.status == "running"


def test_create_works_from_a_directory_that_was_removed(container, workdir):
    made = container("pwd")
    made.bundle.write()
    gone = f"{workdir}/gone"
    os.mkdir(gone)
    script = 'cd "$0" && rmdir "$0" && exec "$@"'
    argv = made.runtime.argv("create", "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id)
    made.result = made.runtime.ok(argv=["sh", "-c", script, gone, *argv])
    made.start()
    made.wait_output("/\n")


def test_flags_are_taken_with_one_dash_or_two(container):
    made = container("sleep", "100")
    made.bundle.write()
    made.runtime.ok("create", "-bundle", made.bundle.path, f"-pid-file={made.pid_file}", made.id)
    assert made.state()["pid"] == made.pid


def test_create_no_pivot_and_no_new_keyring_are_accepted(container):
    made = container("sleep", "100").create("--no-new-keyring")
    assert made.start().status == "running"


def test_the_hosts_null_device_keeps_its_owner_and_mode(container):
    """crun's chown of stdin reaches the host's /dev/null; whoever runs in the container, ours must not."""
    before = os.stat("/dev/null")
    made = container("true")
    made.bundle.process["user"] = {"uid": 1000, "gid": 1000}
    with open("/dev/null", "r+b") as null:
        made.up(stdin=null, stdout=null, stderr=null)
    made.wait()
    after = os.stat("/dev/null")
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_mode & 0o7777 == 0o666 and after.st_uid == 0


@pytest.mark.ours
def test_files_that_are_standard_streams_keep_their_owner_and_mode(container, workdir):
    out = f"{workdir}/out"
    with open(out, "wb") as file:
        os.fchmod(file.fileno(), 0o640)
        os.fchown(file.fileno(), 12, 34)
    made = container(shell="id -u; echo done")
    made.bundle.process["user"] = {"uid": 1000, "gid": 1000}
    with open(out, "r+b") as file, open("/dev/null", "r+b") as null:
        made.create(stdin=null, stdout=file, stderr=null)
    made.start()
    made.wait()
    with open(out, encoding="utf-8") as file:
        assert file.read() == "1000\ndone\n"
    info = os.stat(out)
    assert (info.st_mode & 0o7777, info.st_uid, info.st_gid) == (0o640, 12, 34)


def test_stdio_can_be_closed(container):
    made = container("sleep", "100")
    made.bundle.write()
    argv = made.runtime.argv("create", "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id)
    subprocess.run(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *argv],
        env=made.runtime.environment,
        timeout=30,
        check=True,
    )
    assert made.start().status == "running"


# ---- crun's flags ----


@pytest.mark.ours
def test_config_names_another_document(container, runtime, workdir):
    made = container("echo", "hello")
    made.bundle.write()
    os.makedirs(f"{made.bundle.path}/other")
    os.rename(f"{made.bundle.path}/config.json", f"{made.bundle.path}/other/file.json")
    for name in ("other/file.json", f"{made.bundle.path}/other/file.json"):
        result = runtime.ok("run", "--config", name, "--bundle", made.bundle.path, runtime.new_id())
        assert result.stdout == "hello\n"
    result = runtime("run", "--config", "missing.json", "--bundle", made.bundle.path, runtime.new_id())
    result.assert_refused("missing.json")
    made.bundle.mount("/mnt", "/no/such", "bind")
    made.bundle.write()
    os.rename(f"{made.bundle.path}/config.json", f"{made.bundle.path}/other/file.json")
    result = runtime("run", "--config", "other/file.json", "--bundle", made.bundle.path, runtime.new_id())
    result.assert_refused("runlxc: other/file.json: mounts[7]", "/no/such")
    # One that is called like a field.
    made.bundle.linux["rootfsPropagation"] = "nosuch"
    made.bundle.write()
    os.rename(f"{made.bundle.path}/config.json", f"{made.bundle.path}/linux.json")
    result = runtime("run", "--config", "linux.json", "--bundle", made.bundle.path, runtime.new_id())
    assert result.stderr.startswith("runlxc: linux.json: linux.rootfsPropagation"), result


@pytest.mark.ours
def test_the_cgroup_manager_may_be_named_as_for_crun(container, runtime):
    runtime.global_flags += ["--cgroup-manager", "cgroupfs"]
    assert container("echo", "hello").run_ok() == "hello\n"
    runtime.global_flags[-1] = "disabled"
    container("true").run().assert_refused("cgroup-manager", "disabled")
