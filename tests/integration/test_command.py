# SPDX-License-Identifier: Apache-2.0
"""The Command of Docker's old execution driver: reading it, its namespaces, its users, its program.

The rows D03 … D43 are those of the old driver's behaviours. D15 … D26 are in test_command_container.py;
what LXC makes of network.interface (D09) and lxc_config (D23), test_network.py and test_raw_lxc.py show.
"""

import json
import os
import subprocess

import pytest

from lib.command import PATH
from lib.network import BRIDGE, Network
from lib.system import Stream, cgroup_read, namespace, on_cgroup_v1
from lib.terminal import ConsoleSocket

pytestmark = pytest.mark.ours

@pytest.fixture
def source(workdir):
    """A directory of the host with a file in it."""
    os.mkdir(f"{workdir}/source")
    with open(f"{workdir}/source/file", "w", encoding="utf-8") as file:
        file.write("from the host\n")
    return f"{workdir}/source"


# ---- the command line ----


def test_the_exit_status_is_the_programs(command):
    assert command(shell="exit 7").run().returncode == 7


def test_a_command_from_standard_input(command):
    made = command("echo", "hi")
    result = made.runtime("run", "--command", "-", stdin=open(made.write().file, "rb"))
    assert (result.returncode, result.stdout) == (0, "hi\n")


def test_an_id_on_the_command_line_goes_before_the_commands_own(command, runtime):
    made = command("sleep", "100")
    id_ = runtime.new_id()
    made.up(id_)
    assert [entry["id"] for entry in runtime.list()] == [id_]


def test_an_id_on_the_command_line_makes_up_for_a_missing_one(command, runtime):
    made = command("true")
    del made.document["id"]
    assert made.run(runtime.new_id()).returncode == 0
    made.refused("command.json", "id: is missing")


def test_keep_and_the_monitor_are_for_commands_too(command):
    made = command(shell="exit 3")
    assert made.run("--keep").returncode == 3
    assert made.status == "stopped"
    made.delete()
    made = command("sleep", "100").up("--lxc-monitor")
    assert made.status == "running"


def test_a_detached_terminal_goes_over_the_console_socket(command, workdir):
    made = command(shell="tty; read line; echo got $line; sleep 100")
    made.process["tty"] = True
    with ConsoleSocket(f"{workdir}/console") as console:
        made.up("--console-socket", console.path)
        master, _ = console.receive()
    stream = Stream(master)
    stream.until(b"/dev/pts/0")
    os.write(master, b"hello\n")
    stream.until(b"got hello")
    os.close(master)


def test_flags_that_mean_something_else_are_refused(command):
    made = command("true")
    made.run("--bundle", "/").assert_refused("--command and --bundle exclude each other")
    made.run("--rootfs", "/").assert_refused("--command and --rootfs exclude each other")
    made.run("--tty").assert_refused("--tty needs --rootfs")
    made.run("a", "b").assert_refused("no more than an id")


def test_a_file_that_is_not_there(runtime):
    runtime("run", "--command", "/no/such").assert_refused("/no/such", "no such file")


def test_a_file_that_is_not_a_command(command):
    made = command()
    for text in ("", "{", "[]", "null", b"\xff"):
        made.write(text)
        made.runtime("run", "--command", made.file).assert_refused("command.json")


def test_the_document_that_a_command_becomes_runs_as_a_bundle(command, runtime, workdir):
    made = command("cat", "/mnt/file").mount(f"{workdir}", "/mnt")
    with open(f"{workdir}/file", "w", encoding="utf-8") as file:
        file.write("mounted\n")
    text = runtime.ok("spec", "--from-command", made.write().file).stdout
    assert text.endswith("}\n")
    os.mkdir(f"{workdir}/bundle")
    with open(f"{workdir}/bundle/config.json", "w", encoding="utf-8") as file:
        file.write(text)
    assert runtime.ok("run", "--bundle", f"{workdir}/bundle", runtime.new_id()).stdout == "mounted\n"


def test_what_only_a_container_can_refuse_names_the_command_too(command):
    made = command(lxc_config=["lxc.prlimit.nofile = junk"])
    made.run().assert_refused("command.json: annotations: org.linuxcontainers.lxc.prlimit.nofile")


def test_spec_refuses_what_run_refuses(command, runtime):
    made = command().set(rootfs="/no/such")
    result = runtime("spec", "--from-command", made.write().file)
    result.assert_refused("command.json: rootfs: \"/no/such\"", "no such file")
    assert result.stdout == ""


# ---- D03: what is missing or wrong ----


@pytest.mark.parametrize("network", [None, {}, {"mtu": 1500}, {"namespace_path": "", "container_id": ""}])
def test_D03_a_command_without_a_network_is_refused(command, network):
    command(network=network).refused("command.json:", "empty network namespace path for non-container network: network")


@pytest.mark.parametrize(
    ("field", "words"),
    [("rootfs", "rootfs: is missing"), ("process_config", "process_config.entrypoint: is missing")],
)
def test_D03_a_field_that_is_missing_is_named(command, field, words):
    made = command()
    del made.document[field]
    made.refused(words)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"id": "a/b"}, "command.json:2: id: invalid container id format"),
        ({"rootfs": 5}, "command.json:3: rootfs: want a string, found a number"),
        ({"rootfs": "/no/such"}, "command.json: rootfs: \"/no/such\": no such file or directory"),
        ({"rootfs": "/etc/passwd"}, "command.json: rootfs: \"/etc/passwd\": not a directory"),
        ({"network": {"interface": {"bridge": "br0", "ip_adress": "10.0.0.2"}}}, "interface.ip_adress: unknown field"),
        ({"network": {"interface": {"bridge": "br0", "ip": "10.0"}}}, "network.interface.ip: \"10.0\" is not an IPv4"),
        ({"network": {"host_networking": True, "container_id": "x"}}, "container_id and host_networking exclude"),
        ({"network": {"namespace_path": "/etc/passwd"}}, "network.namespace_path: \"/etc/passwd\" is not a network"),
        ({"network": {"namespace_path": "/proc/self/ns/uts"}}, "ns/uts\" is not a network namespace"),
        ({"network": {"namespace_path": "/no/such"}}, "network.namespace_path: \"/no/such\": no such file"),
        ({"mounts": [{"source": "/no/such", "destination": "/a"}]}, "mounts[0].source: \"/no/such\": no such file"),
        ({"cap_add": ["KILL", "FLY"]}, "cap_add[1]: \"FLY\" is not a capability"),
        ({"resources": {"cpu_shares": 1}}, "resources.cpu_shares: 1 is not in 2 to 262144"),
        ({"autocreated_devices": [{"type": "p", "path": "/dev/x"}]}, "autocreated_devices[0].type: \"p\" is not"),
        ({"lxc_config": ["cap.drop = kill"]}, "lxc_config[0]: \"cap.drop = kill\" is not one line"),
        ({"surprise": True}, "surprise: unknown field"),
    ],
)
def test_D03_a_field_that_is_wrong_is_named(command, fields, words):
    command(**fields).refused("command.json", words)


def test_D03_the_line_is_told(command, runtime):
    made = command()
    made.write('{\n "network": {\n  "interface": {\n   "bridge": "br0",\n\n   "ip_adress": "10.0.0.2"\n  }\n }\n}')
    result = runtime("run", "--command", made.file)
    result.assert_refused("command.json:6: network.interface.ip_adress: unknown field")


# ---- D08: the environment ----


def test_D08_the_environment_is_what_was_asked_for_and_container_lxc(command):
    made = command("env").env("A=1", "EMPTY", "B=x=y", "A=2", "container=docker", "HOME=/h")
    assert sorted(made.run_ok().splitlines()) == sorted(
        [PATH, "EMPTY=", "B=x=y", "A=2", "HOME=/h", "container=lxc"]
    )


def test_D08_without_an_environment_there_is_home_and_container(command):
    made = command("/bin/env")
    del made.process["env"]
    assert sorted(made.run_ok().splitlines()) == ["HOME=/root", "container=lxc"]


def test_D08_nothing_of_it_is_left_in_the_root(command):
    made = command("true").env("SECRET=swordfish")
    made.run_ok()
    for directory, _, files in os.walk(made.rootfs):
        for name in files:
            assert name not in (".dockerenv", ".dockerinit", "config.env"), f"{directory}/{name}"


def test_D08_nobody_else_can_read_it(command, runtime):
    made = command("sleep", "100").env("SECRET=swordfish").up()
    assert made.status == "running"
    assert os.stat(runtime.root).st_mode & 0o777 == 0o700


# ---- D10, D11: namespaces ----


@pytest.fixture
def other_network(runtime):
    """A process in a network namespace of its own."""
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo up; exec sleep 100"], stdout=subprocess.PIPE, env=runtime.environment
    ) as process:
        assert process.stdout.readline() == b"up\n"
        yield process.pid
        process.kill()


def test_D10_a_network_namespace_is_joined_by_its_path(command, other_network):
    made = command("readlink", "/proc/self/ns/net", network={"namespace_path": f"/proc/{other_network}/ns/net"})
    assert made.run_ok().strip() == namespace(other_network, "net") != namespace("self", "net")


def test_D10_an_mtu_without_an_interface_has_no_effect(command, other_network):
    """Docker always wrote one."""
    made = command("ls", "/sys/class/net", network={"namespace_path": f"/proc/{other_network}/ns/net", "mtu": 1500})
    assert made.run_ok() == "lo\n"


def test_D11_another_containers_network_and_ipc(command, other_network):
    first = command("sleep", "100", network={"namespace_path": f"/proc/{other_network}/ns/net"}).up()
    second = command(shell="readlink /proc/self/ns/net; readlink /proc/self/ns/ipc")
    second.set(network={"container_id": first.id}, ipc={"container_id": first.id})
    assert second.run_ok().split() == [namespace(first.pid, "net"), namespace(first.pid, "ipc")]
    assert namespace(first.pid, "net") == namespace(other_network, "net")
    assert namespace(first.pid, "ipc") != namespace("self", "ipc")


def test_D11_a_container_to_share_with_must_be_there(command):
    made = command(network={"container_id": "nobody"})
    made.refused("network.container_id: container does not exist: nobody")
    made = command(ipc={"container_id": "nobody"})
    made.refused("ipc.container_id: container does not exist: nobody")


def test_D11_a_container_to_share_with_must_run(command):
    first = command("sleep", "100").up()
    first.stop()
    command(network={"container_id": first.id}).refused("network.container_id: container not running")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"network": {"host_networking": True}}, "net"),
        ({"ipc": {"host_ipc": True}}, "ipc"),
        ({"pid": {"host_pid": True}}, "pid"),
        ({"uts": {"host_uts": True}}, "uts"),
    ],
)
def test_D11_the_hosts_namespace(command, fields, kind):
    made = command("sleep", "100", **fields).up()
    assert namespace(made.pid, kind) == namespace("self", kind)


@pytest.mark.parametrize("kind", ["ipc", "pid", "uts", "mnt"])
def test_D11_otherwise_a_namespace_is_its_own(command, kind):
    made = command("sleep", "100").up()
    assert namespace(made.pid, kind) != namespace("self", kind)


# ---- D12: users ----


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("", "0 0 0"),
        ("user", "1000 1000 1000 2000"),
        ("1000", "1000 1000 1000 2000"),
        ("user:extra", "1000 2000 2000"),
        ("user:7", "1000 7 7"),
        ("55", "55 0 0"),
        ("55:56", "55 56 56"),
    ],
)
def test_D12_a_user_is_looked_up_in_the_containers_own_files(command, user, expected):
    made = command(shell="echo $(id -u) $(id -g) $(id -G)")
    made.process["user"] = user
    assert made.run_ok().strip() == expected


def test_D12_groups_are_added(command):
    made = command("id", "-G", group_add=["extra", "44"])
    assert set(made.run_ok().split()) == {"0", "2000", "44"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"user": "daemon"}, 'process_config.user: unable to find user "daemon"'),
        ({"user": "user:daemon"}, 'process_config.user: unable to find group "daemon"'),
    ],
)
def test_D12_who_is_not_in_the_containers_files_is_an_error(command, fields, words):
    """The host's files have daemon."""
    made = command()
    made.process.update(fields)
    made.refused(words)


def test_D12_an_unknown_group_to_add(command):
    command(group_add=["daemon"]).refused('group_add[0]: unable to find group "daemon"')


@pytest.mark.parametrize(("user", "home"), [("", "/root"), ("user", "/home/user"), ("55", "/"), ("second", "/second")])
def test_D12_home_is_set_when_it_is_not(command, user, home):
    made = command(shell="echo $HOME")
    with open(f"{made.rootfs}/etc/passwd", "a", encoding="utf-8") as file:
        file.write("second:x:1000:1000::/second:/bin/sh\n")
    made.process["user"] = user
    assert made.run_ok() == f"{home}\n"
    assert made.env("HOME=/elsewhere").run_ok() == "/elsewhere\n"


def test_D12_a_symlink_does_not_lead_to_the_hosts_file(command, workdir):
    made = command("id", "-u")
    with open(f"{workdir}/passwd", "w", encoding="utf-8") as file:
        file.write("hostile:x:0:0::/:/bin/sh\n")
    made.process["user"] = "hostile"
    for target in (f"{workdir}/passwd", "../../../passwd", "/proc/self/root/etc/passwd"):
        os.unlink(f"{made.rootfs}/etc/passwd")
        os.symlink(target, f"{made.rootfs}/etc/passwd")
        made.refused('unable to find user "hostile"')


def test_D12_what_is_mounted_over_the_files_is_what_counts(command, workdir):
    made = command("id", "-u").mount(f"{workdir}/passwd", "/etc/passwd")
    with open(f"{workdir}/passwd", "w", encoding="utf-8") as file:
        file.write("mounted:x:777:777::/:/bin/sh\n")
    made.process["user"] = "mounted"
    assert made.run_ok() == "777\n"
    made.process["user"] = "user"
    made.refused('unable to find user "user"')


# ---- D13, D14: directory and program ----


def test_D13_the_working_directory(command):
    assert command("pwd").run_ok() == "/\n"
    assert command("pwd", working_dir="/home/user").run_ok() == "/home/user\n"


def test_D13_a_working_directory_in_a_mount(command, source):
    assert command("cat", "file", working_dir="/mnt").mount(source, "/mnt").run_ok() == "from the host\n"


@pytest.mark.parametrize("directory", ["/no/such", "/srv", "/bin/busybox"])
def test_D13_one_that_is_not_there_is_an_error(command, directory):
    """The host has a /srv."""
    made = command(working_dir=directory)
    made.refused("command.json: working_dir:", directory)
    assert not os.path.exists(f"{made.rootfs}/srv")


def test_D13_it_is_entered_with_the_users_rights(command):
    made = command(working_dir="/root")
    os.chmod(f"{made.rootfs}/root", 0o700)
    made.process["user"] = "user"
    made.refused("/root", "permission denied")


def test_D14_the_program_is_found_on_the_containers_path(command):
    made = command("hello")
    os.mkdir(f"{made.rootfs}/opt")
    with open(f"{made.rootfs}/opt/hello", "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho hello $0 $1\n")
    os.chmod(f"{made.rootfs}/opt/hello", 0o755)
    made.args("hello", "world").process["env"] = ["PATH=/opt:/bin"]
    assert made.run_ok() == "hello /opt/hello world\n"


def test_D14_one_that_is_not_there_is_127_and_one_that_can_not_be_executed_is_126(command):
    result = command("no-such-program").run()
    result.assert_refused("no-such-program", "executable file not found in $PATH")
    assert result.returncode == 127
    result = command("/etc/passwd").run()
    result.assert_refused("/etc/passwd", "permission denied")
    assert result.returncode == 126


# ---- D43: values are values ----

NASTY = "x\nlxc.cap.drop =\n\"'#=\\ \t é \x01"


def test_D43_a_variable_and_an_argument_may_hold_anything(command):
    made = command(shell='printf "%s|%s" "$NASTY" "$1"').env(f"NASTY={NASTY}")
    made.process["arguments"] += ["sh", NASTY]
    assert made.run_ok() == f"{NASTY}|{NASTY}"


def test_D43_a_newline_adds_no_mount(command, source):
    target = "/a none bind\nlxc.mount.entry = / mnt none bind,create=dir 0 0"
    made = command(shell='test ! -e /mnt && cat "$1/file"').mount(source, target)
    made.process["arguments"] += ["sh", target]
    assert made.run_ok() == "from the host\n"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rootfs": "/tmp/a\nb"}, "rootfs: has a newline in it"),
        ({"cgroup_parent": "/a\nb"}, "cgroup_parent:"),
        ({"lxc_config": ["lxc.cap.drop = a\nlxc.net.0.type = none"]}, "lxc_config[0]:"),
        ({"apparmor_profile": "a\nb"}, "apparmor_profile:"),
        ({"network": {"namespace_path": "/tmp/a\nb"}}, "network.namespace_path:"),
        ({"network": {"interface": {"bridge": "br\n0"}}}, "network.interface.bridge:"),
    ],
)
def test_D43_a_newline_that_would_do_harm_is_refused(command, fields, words):
    command(**fields).refused("command.json:", words)


def test_D43_bytes_that_are_not_utf8_are_refused(command, runtime):
    made = command()
    text = json.dumps(made.document, indent=1).encode()
    made.write(text.replace(b'"true"', b'"tr\xffue"'))
    runtime("run", "--command", made.file).assert_refused("command.json:8: the text is not UTF-8")
    made.write(text.replace(b'"true"', b'"tr\\ud83due"'))
    runtime("run", "--command", made.file).assert_refused("command.json:8:", "surrogate")


# ---- what has no effect, and what LXC is told ----


def test_fields_without_effect(command):
    """init is the runtime's own, there is no configuration file, and the pid is an answer."""
    made = command(shell="ls -A / | grep -c docker; echo $$")
    made.set(initpath="/.dockerinit", config_path="/var/lib/docker/x", container_pid=12, first_start=True)
    assert made.run().stdout == "0\n1\n"


def test_an_interface_and_lxc_config_become_annotations_in_their_order(command, runtime):
    interface = {"bridge": "br0", "ip": "10.9.9.2", "ip_prefix_len": 24, "hairpin_mode": True}
    made = command(network={"interface": interface}, lxc_config=["lxc.cap.drop = kill", " lxc.cap.drop=chown "])
    document = json.loads(runtime.ok("spec", "--from-command", made.write().file).stdout)
    assert list(document["annotations"].items()) == [
        ("org.linuxcontainers.lxc.net.0.type", "veth"),
        ("org.linuxcontainers.lxc.net.0.link", "br0"),
        ("org.linuxcontainers.lxc.net.0.flags", "up"),
        ("org.linuxcontainers.lxc.net.0.name", "eth0"),
        ("org.linuxcontainers.lxc.net.0.ipv4.address", "10.9.9.2/24"),
        ("org.runlxc.net.0.hairpin", "1"),
        ("org.linuxcontainers.lxc.cap.drop", "kill"),
        ("org.linuxcontainers.lxc.cap.drop#2", "chown"),
    ]
    assert {"type": "network"} in document["linux"]["namespaces"]


# ---- D09, D23: by way of LXC's own keys ----


@pytest.fixture
def network(workdir, runtime):
    made = Network(workdir, runtime.environment)
    yield made
    runtime.clean()
    made.close()


def test_D09_an_interface_of_its_own(command, network):
    """What each of its settings does, test_network.py shows."""
    interface = {
        "bridge": BRIDGE,
        **{"ip": "10.83.0.9", "ip_prefix_len": 24, "gateway": "10.83.0.1", "mac": "02:42:ac:11:00:02"},
        **{"global_ipv6": "fd83::9", "global_ipv6_prefix_len": 64, "ipv6_gateway": "fd83::1"},
        **{"link_local_ipv6": "fe80::9", "hairpin_mode": True},
    }
    made = command(shell="ip addr show eth0; ip route; ip -6 route; ping -c 1 -W 5 10.83.0.1 && echo reached")
    made.set(network={"interface": interface, "mtu": 1300}, cap_add=["NET_ADMIN"])
    argv = [*network.enter, *made.runtime.argv("run", "--command", made.write().file)]
    result = made.runtime(argv=argv)
    assert result.returncode == 0, result
    for words in (
        *("mtu 1300", "02:42:ac:11:00:02", "10.83.0.9/24", "fd83::9/64", "fe80::9/64"),
        *("default via 10.83.0.1", "default via fd83::1", "reached"),
    ):
        assert words in result.stdout, result
    network.wait_empty()


def test_D23_lines_of_lxc_config(command):
    lines = ["lxc.cgroup.pids.max = 77" if on_cgroup_v1() else "lxc.cgroup2.pids.max = 77", "lxc.utsname = raw"]
    made = command("sleep", "100", lxc_config=lines).up()
    assert cgroup_read(made.pid, "pids", "pids.max") == "77"
    assert made.exec_ok("hostname") == "raw\n"


def test_D23_an_unknown_key_is_an_error_that_names_it(command):
    command(lxc_config=["lxc.no.such.key = 1"]).refused("lxc.no.such.key")
