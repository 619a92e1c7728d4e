# SPDX-License-Identifier: Apache-2.0
"""docker run: users, capabilities, seccomp, devices."""

import json
import os
import re

import pytest

PRIVILEGES = ["grep", "-E", "^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid)", "/proc/self/status"]
# Docker's --privileged and ALL name every capability that the kernel knows. Where the machine's own bounding set lacks
# one (CAP_SYS_RESOURCE in a nested virtual machine), runc 1.1.5 fails; runlxc warns, and gives those that there are, as
# later runcs do.
LACKING = "operation not permitted"


def _bounding_set():
    with open("/proc/self/status", encoding="utf-8") as status:
        return int(next(line for line in status if line.startswith("CapBnd")).split()[1], 16)


def _machine_has_all_capabilities():
    with open("/proc/sys/kernel/cap_last_cap", encoding="utf-8") as last:
        return _bounding_set() == (2 << int(last.read())) - 1


def _all_or_what_there_is(docker, flags, *args):
    if _machine_has_all_capabilities():
        return docker.same(flags, *args).stdout
    theirs = docker.run("runc", flags, args)
    ours = docker.run("runlxc", flags, args)
    assert ours.status == 0, ours
    if theirs.status == 0:
        assert ours.stdout == theirs.stdout, f"{ours}{theirs}"
    else:
        assert LACKING in theirs.stderr, theirs
    return ours.stdout


def _has_all(seen):
    """Every capability of the machine's up to CAP_AUDIT_READ: Docker 20.10 knows no later ones."""
    known = (1 << 38) - 1
    return int(re.search(r"CapEff:\t(\w+)", seen)[1], 16) & known == _bounding_set() & known


def test_the_default_privileges(docker):
    seen = docker.same([], *PRIVILEGES).stdout
    assert "CapEff:\t00000000a80425fb" in seen and "Seccomp:\t2" in seen


@pytest.mark.full
def test_a_user_has_no_capabilities(docker):
    assert "CapEff:\t0000000000000000" in docker.same(["--user", "alice"], *PRIVILEGES).stdout


def test_capabilities_are_added_and_dropped(docker):
    flags = ["--cap-drop", "ALL", "--cap-add", "NET_ADMIN", "--cap-add", "chown", "--security-opt", "no-new-privileges"]
    seen = docker.same(flags, *PRIVILEGES).stdout
    assert "CapBnd:\t0000000000001001" in seen and "NoNewPrivs:\t1" in seen


@pytest.mark.full
def test_an_unknown_capability_is_refused(docker):
    docker.same(["--cap-add", "NO_SUCH"], "true", status=125)


def test_privileged(docker):
    seen = _all_or_what_there_is(docker, ["--privileged"], *PRIVILEGES)
    assert _has_all(seen) and "Seccomp:\t0" in seen


@pytest.mark.full
def test_privileged_sees_devices_and_may_mount(docker):
    script = (
        "mount -t tmpfs none /tmp && echo mounted; test -c /dev/kmsg && echo kmsg; "
        "touch /proc/sys/kernel/hostname && echo writable"
    )
    assert _all_or_what_there_is(docker, ["--privileged"], "sh", "-c", script) == "mounted\nkmsg\nwritable\n"


@pytest.mark.full
def test_privileged_exec(docker):
    if _machine_has_all_capabilities():

        def scenario(runtime):
            return docker.up(runtime, [], "sleep", "100").exec_ok(["--privileged"], *PRIVILEGES)

        docker.both(scenario)
        return
    theirs = docker.up("runc", [], "sleep", "100").exec(["--privileged"], *PRIVILEGES)
    seen = docker.up("runlxc", [], "sleep", "100").exec_ok(["--privileged"], *PRIVILEGES)
    assert _has_all(seen)
    if theirs.status == 0:
        assert seen == theirs.stdout.rstrip("\n")
    else:
        assert LACKING in theirs.stdout + theirs.stderr, theirs


@pytest.mark.full
def test_all_capabilities(docker):
    assert _has_all(_all_or_what_there_is(docker, ["--cap-add", "ALL"], *PRIVILEGES))


USERS = {
    "name": (["--user", "alice"], "uid=1000(alice) gid=1000(alice) groups=1000(alice),2000(music)\n"),
    "id": (["--user", "1000"], "uid=1000(alice) gid=1000(alice) groups=1000(alice),2000(music)\n"),
    "unknown id": (["--user", "4242"], None),
    "both": (["--user", "alice:music"], "uid=1000(alice) gid=2000(music) groups=2000(music)\n"),
    "ids": (["--user", "4242:4243"], "uid=4242 gid=4243 groups=4243\n"),
    "groups": (["--user", "4242", "--group-add", "music", "--group-add", "3000"], None),
}


@pytest.mark.parametrize(
    "kind", ["name", *[pytest.param(k, marks=pytest.mark.full) for k in list(USERS)[1:-1]], "groups"]
)
def test_users(docker, kind):
    flags, output = USERS[kind]
    docker.same(flags, "id", output=output)


@pytest.mark.full
def test_an_unknown_user_is_refused(docker):
    docker.same(["--user", "bob"], "id", status=125)


@pytest.fixture
def profile(docker):
    """A seccomp profile: everything but one call."""
    path = f"{docker.directory}/profile-{docker.name()}.json"

    def write(call, **more):
        document = {
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": [call], "action": "SCMP_ACT_ERRNO", **more}],
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        return path

    yield write
    os.unlink(path)


def test_a_seccomp_profile_of_ones_own(docker, profile):
    flags = ["--security-opt", f"seccomp={profile('mkdir', errnoRet=95)}"]
    docker.same(flags, "sh", "-c", "grep ^Seccomp: /proc/self/status; mkdir /tmp/x 2>&1 || echo refused",
                output="Seccomp:\t2\nmkdir: can't create directory '/tmp/x': Operation not supported\nrefused\n")


@pytest.mark.full
def test_a_seccomp_profile_that_kills(docker, profile):
    flags = ["--security-opt", f"seccomp={profile('mkdir', action='SCMP_ACT_KILL_PROCESS')}"]
    docker.same(flags, "sh", "-c", "mkdir /tmp/x; echo $?", output="159\n")


@pytest.mark.full
def test_without_seccomp(docker):
    docker.same(
        ["--security-opt", "seccomp=unconfined"], "grep", "^Seccomp:", "/proc/self/status", output="Seccomp:\t0\n"
    )


@pytest.mark.full
def test_the_default_seccomp_profile_refuses_a_new_user_namespace(docker):
    docker.same([], "unshare", "-U", "true", status=1)


needs_fuse = pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="there is no /dev/fuse to hand in")


@needs_fuse
def test_a_device(docker):
    flags = ["--device", "/dev/zero:/dev/noughts:r", "--device", "/dev/fuse"]
    docker.same(flags, "sh", "-c", "head -c 3 /dev/noughts | xxd -p; ls -l /dev/fuse | cut -c1; ls /dev", status=0)


# Which the image's root may make, and open only if a rule says so.
OPEN_FUSE = "mknod /tmp/fuse c 10 229 && (: </tmp/fuse) 2>/dev/null; echo $?"


@needs_fuse
@pytest.mark.full
def test_devices_that_are_not_listed_cannot_be_opened(docker):
    docker.same([], "sh", "-c", OPEN_FUSE, output="1\n")


@needs_fuse
@pytest.mark.full
def test_a_device_rule(docker):
    docker.same(["--device-cgroup-rule", "c 10:229 r"], "sh", "-c", OPEN_FUSE, output="0\n")


def test_masked_and_read_only_paths(docker):
    script = (
        "cat /proc/timer_list /proc/keys | wc -c; ls /sys/firmware | wc -l; touch /proc/sysrq-trigger; "
        "echo x >/proc/sys/kernel/hostname; mount | grep -E ' on /(proc|sys)' | cut -d' ' -f3,5 | sort"
    )
    docker.same([], "sh", "-c", f"{{ {script}; }} 2>&1")


@pytest.mark.full
def test_unmasked_paths(docker):
    docker.same(
        ["--security-opt", "systempaths=unconfined"], "sh", "-c", "mount | grep ' on /proc' | cut -d' ' -f3,5,6"
    )


@pytest.mark.full
def test_a_sysctl(docker):
    docker.same(
        ["--sysctl", "net.ipv4.ip_forward=0", "--sysctl", "kernel.msgmax=7777"],
        "sysctl",
        "-n",
        "net.ipv4.ip_forward",
        "kernel.msgmax",
        output="0\n7777\n",
    )
