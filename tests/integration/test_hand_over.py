# SPDX-License-Identifier: Apache-2.0
"""After create nothing of the runtime stays, and the container belongs to the nearest subreaper."""

import os

from lib import system


def created_by(shim, made, *flags):
    made.bundle.write()
    status = shim.run_detached(
        made.runtime.argv("create", "--bundle", made.bundle.path, "--pid-file", made.pid_file, *flags, made.id),
        f"{made.runtime.workdir}/shim.out",
    )
    assert status == 0, open(f"{made.runtime.workdir}/shim.out", encoding="utf-8").read()
    return made


def test_the_subreaper_is_the_parent_and_has_no_other_child(shim, container):
    made = created_by(shim, container("sleep", "100"))
    assert system.process_stat(made.pid)[1] == shim.pid
    assert shim.children() == [made.pid]
    made.start()
    assert system.process_stat(made.pid)[1] == shim.pid
    assert shim.children() == [made.pid]


def test_the_subreaper_reads_the_exit_status(shim, container):
    made = created_by(shim, container(shell="exit 42"))
    made.start()
    assert shim.wait(made.pid) == 42
    assert made.status == "stopped"


def test_the_subreaper_reads_the_signal(shim, container):
    made = created_by(shim, container("sleep", "100"))
    made.start()
    made.kill("KILL")
    assert shim.wait(made.pid) == -9


def test_a_container_that_nobody_has_reaped_is_stopped_already(shim, container):
    made = created_by(shim, container("true"))
    with system.Pidfd(made.pid) as pidfd:
        made.start()
        pidfd.wait()
    assert system.process_stat(made.pid)[0] == "Z"
    assert made.status == "stopped"
    made.delete()
    assert shim.wait(made.pid) == 0


def test_start_kill_and_delete_leave_the_subreaper_no_other_child(shim, container):
    made = created_by(shim, container(shell="trap 'exit 3' TERM; echo up; sleep 100 & wait"))
    argv = made.runtime.argv
    assert shim.run(argv("start", made.id)) == (0, "")
    with open(f"{made.runtime.workdir}/shim.out", encoding="utf-8") as output:
        system.wait_until(lambda: "up" in output.read(), "up")
    assert shim.run(argv("kill", made.id, "15")) == (0, "")
    assert shim.wait(made.pid) == 3
    assert shim.run(argv("delete", made.id)) == (0, "")
    assert shim.children() == []


def test_a_detached_exec_belongs_to_the_subreaper(shim, container):
    made = created_by(shim, container("sleep", "100"))
    made.start()
    pid_file = f"{made.runtime.workdir}/exec.pid"
    status = shim.run_detached(
        made.runtime.argv("exec", "--detach", "--pid-file", pid_file, made.id, "sh", "-c", "exit 7"),
        f"{made.runtime.workdir}/exec.out",
    )
    assert status == 0
    with open(pid_file, encoding="utf-8") as file:
        assert shim.wait(int(file.read())) == 7


def test_a_failed_create_leaves_the_subreaper_no_child(shim, container):
    made = container("true")
    made.bundle.mount("/mnt", "/no/such/source", "bind")
    made.bundle.write()
    status, output = shim.run(made.runtime.argv("create", "--bundle", made.bundle.path, made.id))
    assert status != 0 and "/no/such/source" in output
    assert shim.children() == []


def test_no_process_of_the_runtime_is_left_beside_a_created_container(container):
    """On the whole machine: the environment of every command here carries the session's name."""
    made = container("sleep", "100").create()
    marker = made.runtime.token.encode()
    left = []
    for pid in system.pids():
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if marker in file.read() and pid not in (os.getpid(), made.pid) and system.process_alive(pid):
                    left.append(pid)
        except OSError:
            pass
    assert left == []


def test_run_detached_is_left_to_the_subreaper(shim, container):
    made = container("sleep", "100")
    made.bundle.write()
    status = shim.run_detached(
        made.runtime.argv("run", "-d", "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id),
        f"{made.runtime.workdir}/shim.out",
    )
    assert status == 0
    assert shim.children() == [made.pid]
    made.kill("KILL")
    assert shim.wait(made.pid) == -9
