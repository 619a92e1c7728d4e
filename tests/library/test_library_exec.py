# SPDX-License-Identifier: Apache-2.0
"""D38: one more process in a container."""

import pytest

from lib import system


@pytest.fixture
def run_in(runlxc, driver, up):
    """Runs a script in a container of the test's: (exit, output)."""
    container = up()

    def make(script, **options):
        with driver.exec(
            container.id, ["sh", "-c", script], stdin=-3, stdout=runlxc.PIPE, stderr=-3, **options
        ) as process:
            output = process.stdout.read().decode()
            return process.wait(20), output

    make.container = container
    return make


def test_D38_pipes_and_the_exit_status(runlxc, driver, up):
    container = up()
    script = "cat; echo error >&2; exit 9"
    with driver.exec(
        container.id, ["sh", "-c", script], stdin=runlxc.PIPE, stdout=runlxc.PIPE, stderr=runlxc.PIPE
    ) as process:
        process.stdin.write(b"through\n" * 1000)
        process.stdin.close()
        assert process.stdout.read() == b"through\n" * 1000
        assert process.stderr.read() == b"error\n"
        assert process.wait(20) == (9, 0, False)
    assert driver.info(container.id).running


def test_D38_it_is_in_the_container(run_in):
    script = "readlink /proc/self/ns/mnt; readlink /proc/self/ns/pid; cat /proc/self/cgroup; ls /"
    (status, _, _), output = run_in(script)
    assert status == 0
    pid = run_in.container.pid
    assert output.splitlines()[:2] == [system.namespace(pid, "mnt"), system.namespace(pid, "pid")]
    assert run_in.container.id in output


def test_D38_a_terminal(runlxc, driver, up):
    container = up()
    script = "tty; stty size; read line; echo got $line"
    with driver.exec(container.id, ["sh", "-c", script], tty=True, stdin=runlxc.PIPE, stdout=runlxc.PIPE) as process:
        process.resize(44, 99)
        process.stdin.write(b"hello\n")
        output = process.stdout.read().decode()
        assert "/dev/pts/" in output and "44 99" in output and output.endswith("got hello\r\n")
        assert process.wait(20).status == 0


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (None, "0:0:0"),
        ("user", "1000:1000:1000 2000"),
        ("user:extra", "1000:2000:2000"),
        ("1000", "1000:1000:1000 2000"),
        ("7:8", "7:8:8"),
    ],
)
def test_D38_a_user_by_name_from_the_containers_files(run_in, user, expected):
    assert run_in("echo $(id -u):$(id -g):$(id -G)", user=user)[1].strip() == expected


def test_D38_groups_are_added(run_in):
    assert set(run_in("id -G", user="7:8", group_add=["extra", "99"])[1].split()) == {"8", "99", "2000"}


def effective(run_in, **options):
    return int(run_in("awk '/^CapEff/{print $2}' /proc/self/status", **options)[1], 16)


def test_D38_capabilities(run_in):
    plain = effective(run_in)
    assert not plain >> 12 & 1  # NET_ADMIN
    assert effective(run_in, cap_add=["NET_ADMIN"]) == plain | 1 << 12
    assert effective(run_in, cap_add=["cap_net_admin", "SYS_TIME"]) == plain | 1 << 12 | 1 << 25
    assert effective(run_in, privileged=True) > plain | 1 << 21  # SYS_ADMIN among them
    assert effective(run_in, privileged=True) >> 21 & 1


def test_D38_no_new_privileges(run_in):
    script = "awk '/^NoNewPrivs/{print $2}' /proc/self/status"
    assert run_in(script, no_new_privs=True)[1].strip() == "1"


def test_D38_the_environment_is_added_to_the_containers(run_in):
    output = run_in("env", env=["NEW=a b=c\n'", "EMPTY", "container=mine"])[1]
    assert "PATH=/usr/local/sbin" in output
    assert "NEW=a b=c\n'\n" in output and "EMPTY=\n" in output
    assert "container=mine" in output and "container=lxc" not in output


def test_D38_the_directory(run_in):
    assert run_in("pwd")[1] == "/\n"
    assert run_in("pwd", working_dir="/home/user")[1] == "/home/user\n"


def test_D38_an_oci_process_document(runlxc, driver, up):
    container = up()
    args = ["sh", "-c", "pwd; echo $A; id -u"]
    process = {"cwd": "/tmp", "args": args, "env": ["PATH=/bin", "A=b"], "user": {"uid": 5}}
    with driver.exec(container.id, process=process, stdout=runlxc.PIPE) as running:
        assert running.stdout.read() == b"/tmp\nb\n5\n"
        assert running.wait(20).status == 0
    with pytest.raises(runlxc.Error, match="process"):
        driver.exec(container.id, process={"args": "sh"})
    with pytest.raises(TypeError):
        driver.exec(container.id)


def test_D38_a_paused_container_refuses_unless_told_otherwise(runlxc, driver, up):
    container = up()
    driver.pause(container.id)
    with pytest.raises(runlxc.Error, match="paused"):
        driver.exec(container.id, ["true"])
    driver.resume(container.id)
    with driver.exec(container.id, ["true"]) as process:
        assert process.wait(20).status == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"args": ["/no/such"]}, "/no/such"),
        ({"args": [""]}, "command.entrypoint: is missing"),
        ({"args": ["true"], "user": "nobody-here"}, "nobody-here"),
        ({"args": ["true"], "group_add": ["nobody-here"]}, "nobody-here"),
        ({"args": ["true"], "cap_add": ["KILL", "FLY"]}, 'cap_add[1]: "FLY" is not a capability'),
        ({"args": ["true"], "cgroup": "/no/such"}, "no/such"),
    ],
)
def test_D38_what_is_wrong_is_named_and_leaves_nothing(runlxc, driver, up, options, words):
    container = up()
    with pytest.raises(runlxc.Error) as error:
        driver.exec(container.id, **options, stdin=runlxc.PIPE, stdout=runlxc.PIPE)
    assert words in error.value.message
    assert driver.pids(container.id) == [container.pid]
    assert system.children_of(container.pid) == []


def test_D38_missing_programs(runlxc, driver, up):
    container = up()
    for program, exit_code in (("/no/such", 127), ("no-such", 127), ("/etc/passwd", 126)):
        with pytest.raises(runlxc.Error) as error:
            driver.exec(container.id, [program])
        assert error.value.exit_code == exit_code
    children = [pid for pid in system.pids() if (system.process_stat(pid) or (0, 0))[1] == container.pid]
    assert children == []


def test_D38_it_ends_with_its_container(runlxc, driver, up):
    container = up()
    with driver.exec(container.id, ["sleep", "1000"], stdin=-3) as process:
        container.signal(9)
        assert process.wait(20) == (137, 9, False)
        # Only then: the kernel ends a pid namespace when everybody in it was waited for.
        assert container.wait(20).signal == 9
    with pytest.raises(runlxc.Error, match="does not exist"):
        driver.exec(container.id, ["true"])
