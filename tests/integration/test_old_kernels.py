# SPDX-License-Identifier: Apache-2.0
"""Kernels without the newest calls, and filters of seccomp around the command that refuse them: a container is what
it is anywhere else, or there is none, and one line says what is missing. Never is it a weaker one."""

import ctypes.util
import json
import os

import pytest

from lib import old_kernel, system
from lib.rootless import RootlessRuntime, make_rootless

pytestmark = [
    pytest.mark.ours,
    pytest.mark.skipif(not ctypes.util.find_library("seccomp"), reason="libseccomp is not installed"),
]

# What no container is made without, and since which Linux there is it; all of them: 5.12.
NEEDED = {
    "memfd_create": "3.17",
    "execveat": "3.19",
    "pidfd_send_signal": "5.1",
    "open_tree": "5.2",
    "move_mount": "5.2",
    "fsopen": "5.2",
    "fsconfig": "5.2",
    "fsmount": "5.2",
    "fspick": "5.2",
    "pidfd_open": "5.3",
    "openat2": "5.6",
    "close_range": "5.9",
    "mount_setattr": "5.12",
}
# What is used where it is there: by the C libraries, LXC, or the program.
SPARED = ("statx", "clone3", "faccessat2", "pidfd_getfd", "name_to_handle_at", "rseq", "copy_file_range", "io_uring_setup")
# What a container's isolation looks like from within: a line for each thing that is hidden or can't be written.
LOOK = """
cat /proc/keys /proc/timer_list /proc/kcore 2>&1 | wc -c
ls /sys/firmware /proc/scsi /proc/acpi 2>/dev/null | wc -l
for file in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/new /file; do
    ( : > $file ) 2>/dev/null && echo "wrote $file"
done
ls /volume; ( : > /volume/file ) 2>/dev/null && echo "wrote /volume/file"
ls /proc/self/fd | wc -l
grep -E '^(Cap|Seccomp:|NoNewPrivs)' /proc/self/status
cut -d' ' -f5-6 /proc/self/mountinfo | sort
grep -c outside /proc/keys
cat /link/secret 2>/dev/null
id; hostname; cat /proc/self/cgroup | cut -d: -f2-3 | sed 's/rt[^/]*/ID/'
"""


class OldRuntime:
    """Calls the command with some calls refused."""

    def __init__(self, runtime, error, *calls):
        self.runtime, self.error, self.calls = runtime, error, calls

    def __call__(self, *args, **popen):
        return self.runtime(*args, argv=old_kernel.wrap(self.error, self.calls, self.runtime.argv(*args)), **popen)


@pytest.fixture
def looking(container, workdir):
    """A container that tells what it is confined to."""
    made = container(shell=LOOK)
    os.makedirs(f"{workdir}/volume/below")
    os.makedirs(f"{workdir}/secret")
    with open(f"{workdir}/secret/secret", "w", encoding="ascii") as file:
        file.write("the host's secret\n")
    os.symlink(f"{workdir}/secret", f"{made.bundle.rootfs}/link")
    made.bundle.mount("/volume", f"{workdir}/volume", "rbind", "ro", "nosuid", "nodev")
    # Where this symlink leads is inside.
    os.symlink("../../../../tmp", f"{made.bundle.rootfs}/up")
    made.bundle.mount("/up/inside", "tmpfs", "nosuid", "mode=700", kind="tmpfs")
    made.bundle.linux["resources"]["pids"] = {"limit": 50}
    made.bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64"] if os.uname().machine == "x86_64" else [],
        "syscalls": [{"names": ["sethostname"], "action": "SCMP_ACT_ERRNO"}],
    }
    return made


def run(made, *flags):
    made.bundle.write()
    return "run", "--bundle", made.bundle.path, *flags, made.id


def confined(text):
    """But for the mode of seccomp, which is the filter's around it where the container has none."""
    return [line for line in text.splitlines() if not line.startswith("Seccomp:")]


def assert_nothing_made(made):
    assert not made.exists
    for mount_point in system.cgroup_hierarchies().values():
        for directory, names, _ in os.walk(mount_point):
            assert not [name for name in names if made.id in name], directory


def assert_says_so(made, result, *calls):
    """One line that names what is missing, and that nothing was made."""
    assert result.returncode != 0
    result.assert_refused(*(f"{call}(2)" for call in calls))
    assert_nothing_made(made)


# ---- one at a time ----


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
@pytest.mark.parametrize("call", NEEDED)
def test_without_a_call_that_is_needed_there_is_no_container_and_a_line_names_it(looking, call, error):
    result = OldRuntime(looking.runtime, error, call)(*run(looking))
    assert_says_so(looking, result, call)
    assert ("Linux 5.12" if error == "ENOSYS" else "refuses") in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("call", SPARED)
def test_without_a_call_that_others_make_up_for_the_container_is_the_same(looking, call):
    expected = looking.run_ok()
    result = OldRuntime(looking.runtime, "ENOSYS", call)(*run(looking))
    assert (result.returncode, confined(result.stdout)) == (0, confined(expected)), result


def test_without_all_that_can_be_spared_the_container_is_the_same(looking):
    expected = looking.run_ok()
    result = OldRuntime(looking.runtime, "ENOSYS", *SPARED)(*run(looking))
    assert (result.returncode, confined(result.stdout)) == (0, confined(expected)), result


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
@pytest.mark.parametrize("call", ["setns", "unshare"])
def test_without_a_way_into_other_namespaces_lxc_makes_the_network(looking, call, error):
    looking.bundle.without_namespace("cgroup").with_namespace("network")
    expected = looking.run_ok()
    result = OldRuntime(looking.runtime, error, call)(*run(looking))
    assert (result.returncode, confined(result.stdout)) == (0, confined(expected)), result


@pytest.mark.parametrize("call", ["clone3", "faccessat2"])
def test_a_call_that_may_be_missing_but_is_refused_is_named(looking, call):
    """The C library goes another way where it is missing alone."""
    assert_says_so(looking, OldRuntime(looking.runtime, "EPERM", call)(*run(looking)), call)


# ---- many ----


def test_an_old_kernel_is_told_by_all_that_it_lacks(looking):
    calls = [*NEEDED, *SPARED]
    result = OldRuntime(looking.runtime, "ENOSYS", *calls)(*run(looking))
    assert_says_so(looking, result, *NEEDED)


@pytest.mark.parametrize("since", ["5.2", "5.6", "5.12"])
def test_a_kernel_of_some_age_makes_no_container(looking, since):
    def age(version):
        return [int(part) for part in version.split(".")]

    calls = [call for call, version in NEEDED.items() if age(version) >= age(since)]
    result = OldRuntime(looking.runtime, "ENOSYS", *calls)(*run(looking))
    assert_says_so(looking, result)
    assert any(f"{call}(2)" in result.stderr for call in calls)


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
def test_create_says_so_too(looking, error):
    looking.bundle.write()
    old = OldRuntime(looking.runtime, error, "openat2", "mount_setattr")
    pid_file = ("--pid-file", looking.pid_file)
    assert_says_so(looking, old("create", "--bundle", looking.bundle.path, *pid_file, looking.id), "openat2", "mount_setattr")
    assert not os.path.exists(looking.pid_file)


# ---- a container that is there ----


@pytest.fixture
def up(container):
    return container("sleep", "100").up()


def test_exec_says_so_too(up):
    for call in ("openat2", "close_range", "execveat", "pidfd_open"):
        result = OldRuntime(up.runtime, "ENOSYS", call)("exec", up.id, "echo", "ran")
        assert result.returncode == 255 and result.stdout == ""
        result.assert_refused(f"{call}(2)")
    assert up.exec_ok("echo", "ran") == "ran\n"


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
@pytest.mark.parametrize("call", ["pidfd_open", "pidfd_send_signal", "openat2"])
@pytest.mark.parametrize("verb", [("kill", "KILL"), ("kill", "--all", "KILL"), ("delete", "--force"), ("wait",)])
def test_a_container_is_not_taken_for_dead_where_it_cannot_be_signalled(up, verb, call, error):
    name, *rest = verb
    flags = [word for word in rest if word.startswith("-")]
    arguments = [word for word in rest if not word.startswith("-")]
    result = OldRuntime(up.runtime, error, call)(name, *flags, up.id, *arguments)
    result.assert_refused(f"{call}(2)")
    assert up.status == "running"
    assert up.exec_ok("echo", "there") == "there\n"


def test_what_only_looks_goes_on(up):
    old = OldRuntime(up.runtime, "ENOSYS", "pidfd_open", "pidfd_send_signal", "mount_setattr", "fsopen", "close_range")
    state = old("state", up.id)
    assert state.returncode == 0 and json.loads(state.stdout)["status"] == "running"
    assert old("ps", up.id).returncode == 0
    assert up.id in old("list").stdout


def test_delete_force_of_what_is_not_there_goes_on(runtime):
    assert OldRuntime(runtime, "ENOSYS", "pidfd_open")("delete", "--force", "no-such-one").returncode == 0


# ---- what isn't asked of every container ----


def test_a_seccomp_agent_takes_pidfd_getfd(container, workdir):
    """Told before the program runs, which never does without its agent."""
    import socket  # pylint: disable=import-outside-toplevel

    made = container(shell="mkdir /tmp/x; echo ran")
    made.bundle.writable()
    path = f"{workdir}/agent"
    made.bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "listenerPath": path,
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}],
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
        agent.bind(path)
        agent.listen()
        result = OldRuntime(made.runtime, "ENOSYS", "pidfd_getfd")(*run(made))
    result.assert_refused("linux.seccomp", "pidfd_getfd(2)")
    assert result.stdout == ""
    assert_nothing_made(made)


# ---- the session keyring ----


def keyring(made, *flags, calls, error="EPERM"):
    return OldRuntime(made.runtime, error, *calls)(*run(made, *flags))


def test_where_keyctl_is_refused_the_callers_keyring_is_not_shared(looking):
    result = keyring(looking, calls=["keyctl"])
    assert_says_so(looking, result, "keyctl")
    assert "--no-new-keyring" in result.stderr


def test_without_a_keyring_of_its_own_wanted_keyctl_is_not_needed(container):
    made = container("sleep", "100")
    made.bundle.write()
    old = OldRuntime(made.runtime, "EPERM", "keyctl")
    created = old("create", "--no-new-keyring", "--bundle", made.bundle.path, "--pid-file", made.pid_file, made.id)
    assert created.returncode == 0, created
    made.runtime.ok("start", made.id)
    result = old("exec", made.id, "echo", "ran")
    assert (result.returncode, result.stdout) == (0, "ran\n"), result


def test_an_exec_does_not_share_the_callers_keyring_either(up):
    result = OldRuntime(up.runtime, "EPERM", "keyctl")("exec", up.id, "echo", "ran")
    result.assert_refused("keyctl(2)")
    assert result.stdout == ""


def test_a_kernel_without_keyrings_has_nothing_to_share(looking):
    expected = looking.run_ok()
    result = keyring(looking, calls=["keyctl"], error="ENOSYS")
    assert (result.returncode, confined(result.stdout)) == (0, confined(expected)), result


def test_a_keyring_that_cannot_be_made_is_an_error(looking, up):
    """A user may have two hundred keys. LXC goes on with the caller's."""
    result = keyring(looking, calls=["keyctl"], error="EDQUOT")
    result.assert_refused("session keyring", "quota exceeded")
    assert result.stdout == ""
    assert_nothing_made(looking)
    result = OldRuntime(up.runtime, "EDQUOT", "keyctl")("exec", up.id, "echo", "ran")
    result.assert_refused("session keyring", "quota exceeded")
    assert result.stdout == ""
    assert keyring(looking, "--no-new-keyring", calls=["keyctl"], error="EDQUOT").returncode == 0


# ---- users other than root ----


@pytest.fixture
def users(workdir, token, request, session_directory):
    from lib.bundle import Bundle  # pylint: disable=import-outside-toplevel

    runtime = RootlessRuntime(request.config.command, request.config.is_ours, workdir, token)
    made = runtime.container(make_rootless(Bundle(f"{workdir}/user", f"{session_directory}/busybox")))
    yield made
    runtime.clean()
    made.close()


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
@pytest.mark.parametrize("call", ["openat2", "mount_setattr", "open_tree", "pidfd_open", "close_range"])
def test_a_user_is_told_as_well(users, call, error):
    users.bundle.shell("echo ran")
    result = OldRuntime(users.runtime, error, call)(*run(users))
    assert_says_so(users, result, call)


@pytest.mark.parametrize("call", ["fsopen", "fsmount", "move_mount"])
def test_what_takes_rights_fails_for_a_user_where_it_is_refused(users, call):
    """The kernel refuses them to a user as a filter does: so what needs them says it."""
    users.bundle.shell("echo ran")
    result = OldRuntime(users.runtime, "EPERM", call)(*run(users))
    result.assert_refused("peration not permitted")
    assert result.stdout == ""
