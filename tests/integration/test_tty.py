# SPDX-License-Identifier: Apache-2.0
"""Terminals: run in the user's terminal, and consoles that an engine holds."""

import os
import signal

import pytest

from lib.system import Stream
from lib.terminal import ConsoleSocket, UserTerminal, get_size, is_raw, set_size


@pytest.fixture
def terminal():
    with UserTerminal() as made:
        yield made


@pytest.fixture
def run_in(terminal, container):
    """`run` of a container with a terminal, in the foreground of the user's."""

    def run(*args, shell=None, change=None):
        made = container(*args, shell=shell)
        made.bundle.process["terminal"] = True
        if change:
            change(made.bundle)
        made.bundle.write()
        terminal.run(made.runtime.argv("run", "-b", made.bundle.path, made.id), made.runtime.environment)
        return made

    return run


@pytest.fixture
def console(workdir):
    with ConsoleSocket(f"{workdir}/console.sock") as made:
        yield made


def test_all_three_streams_are_one_terminal(terminal, run_in):
    run_in(shell="test -t 0 && test -t 1 && test -t 2 && tty")
    assert terminal.wait() == 0
    assert "/dev/pts/0" in terminal.screen


def test_the_terminal_is_the_programs_controlling_terminal(terminal, run_in):
    run_in(shell="echo to-the-tty > /dev/tty; cut -d' ' -f6,7,8 /proc/self/stat")
    assert terminal.wait() == 0
    assert "to-the-tty" in terminal.screen
    session, tty_number, _ = terminal.screen.split()[-3:]
    assert session == "1" and tty_number != "0"


def test_dev_console_is_the_terminal(terminal, run_in):
    run_in(shell="echo on-the-console > /dev/console; test -c /dev/console && stat -c '%t' /dev/console")
    assert terminal.wait() == 0
    assert "on-the-console" in terminal.screen
    assert "88" in terminal.screen  # 0x88: a pseudoterminal's slave


def test_exit_status(terminal, run_in):
    run_in(shell="exit 9")
    assert terminal.wait() == 9


def test_the_user_types_and_sees_the_echo_once(terminal, run_in):
    run_in(shell="echo ready; read line; echo \"[$line]\"")
    terminal.screen_until("ready")
    terminal.type("typed\n")
    terminal.screen_until("[typed]")
    assert terminal.wait() == 0
    assert terminal.screen.count("typed") == 2  # the container's echo, and the program's answer


def test_a_programs_own_echo_setting_holds(terminal, run_in):
    run_in(shell="stty -echo; echo ready; read line; echo done")
    terminal.screen_until("ready")
    terminal.type("secret\n")
    terminal.screen_until("done")
    assert terminal.wait() == 0
    assert "secret" not in terminal.screen


def test_control_c_reaches_the_program(terminal, run_in):
    run_in(shell="trap 'echo interrupted; exit 7' INT; echo ready; sleep 100 & wait")
    terminal.screen_until("ready")
    terminal.type("\x03")
    terminal.screen_until("interrupted")
    assert terminal.wait() == 7


def test_control_d_is_the_end_of_input(terminal, run_in):
    run_in(shell="echo ready; cat; echo after")
    terminal.screen_until("ready")
    terminal.type("\x04")
    terminal.screen_until("after")
    assert terminal.wait() == 0


def test_the_terminal_has_the_users_size(terminal, run_in):
    set_size(terminal.master, 31, 91)
    run_in(shell="until [ \"$(stty size 2>&1)\" = '31 91' ]; do usleep 1000; done; echo so it is")
    assert terminal.wait() == 0
    assert "so it is" in terminal.screen


@pytest.mark.ours
def test_the_terminal_has_the_users_size_from_the_beginning(terminal, run_in):
    set_size(terminal.master, 31, 91)
    run_in("stty", "size")
    assert terminal.wait() == 0
    assert "31 91" in terminal.screen


def test_a_change_of_size_reaches_the_program(terminal, run_in):
    made = run_in(shell="trap 'stty size' WINCH; echo ready; while :; do sleep 100 & wait; done")
    terminal.screen_until("ready")
    set_size(terminal.master, 51, 151)
    terminal.screen_until("51 151")
    made.kill("KILL")
    assert terminal.wait() == 137


def test_the_users_terminal_is_raw_meanwhile_and_restored_afterwards(terminal, run_in):
    run_in(shell="echo ready; read line")
    terminal.screen_until("ready")
    assert is_raw(terminal.slave)
    terminal.type("\n")
    assert terminal.wait() == 0
    assert terminal.restored()


def test_the_users_terminal_is_restored_when_the_container_is_killed(terminal, run_in):
    made = run_in(shell="echo ready; sleep 100")
    terminal.screen_until("ready")
    made.kill("KILL")
    assert terminal.wait() == 137
    assert terminal.restored()


def test_the_users_terminal_is_restored_when_the_runtime_is_terminated(terminal, run_in):
    run_in(shell="trap 'exit 4' TERM; echo ready; sleep 100 & wait")
    terminal.screen_until("ready")
    terminal.process.terminate()
    assert terminal.wait() == 4
    assert terminal.restored()


def test_the_users_terminal_is_restored_when_the_program_is_missing(terminal, run_in):
    run_in("no-such-program")
    assert terminal.wait() != 0
    assert "no-such-program" in terminal.screen
    assert terminal.restored()


def test_no_output_is_lost_at_the_end(terminal, run_in):
    run_in("seq", "1", "20000")
    assert terminal.wait() == 0
    assert terminal.screen.split() == [str(n) for n in range(1, 20001)]


def test_hangup_of_the_users_terminal_reaches_the_program(terminal, run_in):
    run_in(shell="trap 'exit 6' HUP; echo ready; sleep 100 & wait")
    terminal.screen_until("ready")
    terminal.process.send_signal(signal.SIGHUP)
    assert terminal.wait() == 6


@pytest.mark.parametrize("uid, gid", [(0, 0), (1000, 1000)])
def test_the_slave_belongs_to_the_user_and_group_tty(terminal, run_in, uid, gid):
    run_in(
        *("stat", "-c", "%u %g %a", "/dev/pts/0"),
        change=lambda bundle: bundle.process.update(user={"uid": uid, "gid": gid}),
    )
    assert terminal.wait() == 0
    assert f"{uid} 5 620" in terminal.screen


def test_the_hosts_terminal_keeps_its_owner(terminal, run_in):
    before = os.fstat(terminal.slave)
    run_in("true", change=lambda bundle: bundle.process.update(user={"uid": 1000, "gid": 1000}))
    assert terminal.wait() == 0
    after = os.fstat(terminal.slave)
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)


def test_without_a_terminal_there_is_no_dev_console(container):
    assert container(shell="test ! -e /dev/console && tty").run().stdout == "not a tty\n"


def test_a_user_namespaces_terminal(terminal, run_in):
    run_in(shell="tty; id -u", change=lambda bundle: bundle.user_namespace())
    assert terminal.wait() == 0
    assert "/dev/pts/0" in terminal.screen and terminal.screen.split()[-1] == "0"


# ---- console sockets ----


def test_create_sends_the_terminal_before_it_returns(container, console):
    made = container(shell="tty; echo typed $(head -n 1)")
    made.bundle.process["terminal"] = True
    made.create("--console-socket", console.path)
    terminal, name = console.receive(timeout=0.5)
    try:
        assert os.isatty(terminal)
        assert name
        stream = Stream(terminal)
        made.start()
        stream.until(b"/dev/pts/0")
        os.write(terminal, b"hello\n")
        stream.until(b"typed hello")
        made.wait()
        stream.rest()
    finally:
        os.close(terminal)


def test_the_terminal_has_the_size_in_the_config(container, console):
    made = container("sleep", "100")
    made.bundle.process.update(terminal=True, consoleSize={"height": 42, "width": 142})
    made.create("--console-socket", console.path)
    terminal, _ = console.receive()
    assert get_size(terminal) == (42, 142)
    os.close(terminal)


def test_an_engine_can_resize_the_terminal(container, console):
    made = container(shell="trap 'stty size' WINCH; echo ready; while :; do sleep 100 & wait; done")
    made.bundle.process["terminal"] = True
    made.create("--console-socket", console.path)
    terminal, _ = console.receive()
    try:
        made.start()
        stream = Stream(terminal)
        stream.until(b"ready")
        set_size(terminal, 61, 161)
        stream.until(b"61 161")
    finally:
        os.close(terminal)


def test_closing_the_terminal_hangs_up(container, console):
    made = container(shell="trap 'exit 0' HUP; echo ready; while :; do sleep 100 & wait; done")
    made.bundle.process["terminal"] = True
    made.create("--console-socket", console.path)
    terminal, _ = console.receive()
    made.start()
    Stream(terminal).until(b"ready")
    os.close(terminal)
    made.wait()


def test_run_detach_sends_the_terminal(container, console):
    made = container(shell="echo hello; sleep 100")
    made.bundle.process["terminal"] = True
    assert made.run("--detach", "--console-socket", console.path).returncode == 0
    terminal, _ = console.receive()
    Stream(terminal).until(b"hello")
    os.close(terminal)


@pytest.mark.ours
def test_a_relative_console_socket_is_meant_from_the_current_directory(container, console, workdir):
    made = container("sleep", "100")
    made.bundle.process["terminal"] = True
    made.create("--console-socket", "console.sock", cwd=workdir)
    terminal, _ = console.receive()
    os.close(terminal)


@pytest.mark.ours
def test_a_long_path_of_a_console_socket_works(container, workdir):
    """Longer than a socket address holds."""
    deep = f"{workdir}/{'d' * 120}"
    os.mkdir(deep)
    made = container("sleep", "100")
    made.bundle.process["terminal"] = True
    here = os.getcwd()
    os.chdir(deep)
    try:
        console = ConsoleSocket("console.sock")
    finally:
        os.chdir(here)
    with console:
        made.create("--console-socket", f"{deep}/console.sock")
        terminal, _ = console.receive()
        os.close(terminal)


def test_a_terminal_without_a_console_socket_is_refused_by_create(container):
    made = container("true")
    made.bundle.process["terminal"] = True
    made.bundle.write()
    result = made.runtime.fails("create", "-b", made.bundle.path, made.id)
    assert "console" in result.stderr and not made.exists


def test_a_console_socket_without_a_terminal_is_refused(container, console):
    made = container("true")
    made.bundle.write()
    result = made.runtime.fails("create", "-b", made.bundle.path, "--console-socket", console.path, made.id)
    assert "console" in result.stderr and not made.exists


def test_a_console_socket_that_nobody_listens_on_is_an_error_that_names_it(container):
    made = container("true")
    made.bundle.process["terminal"] = True
    made.bundle.write()
    result = made.runtime.fails("create", "-b", made.bundle.path, "--console-socket", "/no/socket", made.id)
    assert "/no/socket" in result.stderr and not made.exists


@pytest.mark.ours
def test_a_terminal_can_be_asked_for_by_a_flag(terminal, container):
    made = container()
    argv = made.runtime.argv("run", "--rootfs", made.bundle.rootfs, "-t", made.id, "--", "tty")
    terminal.run(argv, made.runtime.environment)
    assert terminal.wait() == 0
    assert "/dev/pts/0" in terminal.screen


@pytest.mark.ours
def test_a_terminal_works_with_pipes_on_the_hosts_side(container):
    """The end of a pipe is passed on as the end of input."""
    made = container(shell="tty; cat; echo after")
    made.bundle.process["terminal"] = True
    with made.popen_run(stdin=-1, stdout=-1) as process:
        out, _ = process.communicate(b"line\n", timeout=30)
    assert process.returncode == 0
    assert b"/dev/pts/0" in out and b"after" in out
