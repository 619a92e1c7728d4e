# SPDX-License-Identifier: Apache-2.0
"""The process of a container: who it is, what it may, where it starts."""

import json
import os

import pytest

from lib.system import process_status

# Capability numbers, linux/capability.h
CHOWN, DAC_OVERRIDE, KILL, NET_BIND_SERVICE, SYS_CHROOT = 0, 1, 5, 10, 18


def mask(*capabilities):
    return sum(1 << capability for capability in capabilities)


def capability_sets(text):
    """CapInh, CapPrm, CapEff, CapBnd and CapAmb from a status file."""
    found = {}
    for line in text.splitlines():
        if line.startswith("Cap"):
            name, value = line.split()
            found[name[3:6]] = int(value, 16)
    return found


STATUS = ("cat", "/proc/self/status")


# ---- user ----


def test_user_and_groups(container):
    made = container(shell="id -u; id -g; grep Groups /proc/self/status")
    made.bundle.process["user"] = {"uid": 1000, "gid": 2000, "additionalGids": [5, 3000]}
    uid, gid, _, *groups = made.run_ok().split()
    assert (uid, gid) == ("1000", "2000")
    assert set(groups) == {"5", "3000"}


def test_there_are_no_groups_but_those_asked_for(container):
    made = container("grep", "Groups", "/proc/self/status")
    assert made.run_ok().split() == ["Groups:"]


def test_umask(container):
    made = container(shell="umask")
    made.bundle.process["user"]["umask"] = 0o027
    assert made.run_ok() == "0027\n"


def test_umask_is_022_when_not_asked_for(container):
    old = os.umask(0o077)
    try:
        assert container(shell="umask").run_ok() == "0022\n"
    finally:
        os.umask(old)


def test_a_user_without_a_name(container):
    made = container(shell="id -u; echo $HOME")
    made.bundle.process["user"] = {"uid": 54321, "gid": 54321}
    assert made.run_ok() == "54321\n/\n"


# ---- directory ----


def test_cwd(container):
    made = container("pwd")
    made.bundle.process["cwd"] = "/usr/bin"
    assert made.run_ok() == "/usr/bin\n"


def test_cwd_is_made_if_missing(container):
    made = container("pwd")
    made.bundle.writable().process["cwd"] = "/made/for/it"
    assert made.run_ok() == "/made/for/it\n"
    assert os.path.isdir(f"{made.bundle.rootfs}/made/for/it")


def test_cwd_is_made_in_a_read_only_root(container):
    made = container("pwd")
    made.bundle.config["root"]["readonly"] = True
    made.bundle.process["cwd"] = "/made/for/it"
    assert made.run_ok() == "/made/for/it\n"


def test_cwd_through_a_symlink_stays_inside(container, workdir):
    os.mkdir(f"{workdir}/outside")
    made = container(shell="pwd -P")
    os.symlink(f"{workdir}/outside", f"{made.bundle.rootfs}/link")
    made.bundle.writable().process["cwd"] = "/link/new"
    result = made.run()
    assert os.listdir(f"{workdir}/outside") == []
    assert result.returncode != 0 or result.stdout.strip() == f"{workdir}/outside/new"


def test_cwd_that_is_a_file_is_an_error_that_names_it(container):
    made = container("pwd")
    made.bundle.process["cwd"] = "/etc/passwd"
    result = made.run()
    assert result.returncode != 0 and "/etc/passwd" in result.stderr


def test_cwd_that_is_relative_is_refused(container):
    made = container("pwd")
    made.bundle.process["cwd"] = "etc"
    result = made.run()
    assert result.returncode != 0 and "cwd" in result.stderr.lower()


@pytest.mark.ours
def test_cwd_is_entered_with_the_users_rights(container):
    made = container("pwd")
    os.mkdir(f"{made.bundle.rootfs}/private", 0o700)
    made.bundle.process.update(cwd="/private", user={"uid": 1000, "gid": 1000})
    made.bundle.capabilities()
    result = made.run()
    assert result.returncode != 0 and "/private" in result.stderr
    made.bundle.process["user"] = {"uid": 0, "gid": 0}
    assert made.run_ok() == "/private\n"


@pytest.mark.parametrize("cwd", [f"/proc/self/fd/{n}" for n in range(3, 12)])
def test_cwd_is_never_a_directory_of_the_host(container, cwd):
    """CVE-2024-21626: a descriptor of the runtime's, reached through /proc/self/fd."""
    made = container(shell="pwd -P; ls ..")
    made.bundle.process["cwd"] = cwd
    result = made.run()
    assert result.returncode != 0 or "busybox" not in result.stdout


# ---- environment ----


def test_the_environment_is_exactly_as_given_plus_home(container):
    made = container("env")
    made.bundle.process["env"] = ["PATH=/bin", "EMPTY=", "SPACE=a b", "EQUALS=a=b=c", "UTF=ä"]
    assert sorted(made.run_ok().splitlines()) == sorted([*made.bundle.process["env"], "HOME=/root"])


def test_home_comes_from_the_containers_passwd(container):
    made = container(shell="echo $HOME")
    made.bundle.process["user"] = {"uid": 1000, "gid": 1000}
    assert made.run_ok() == "/home/user\n"


def test_of_a_variable_that_is_there_twice_the_last_one_holds(container):
    made = container("env")
    made.bundle.process["env"] = ["PATH=/bin", "TWICE=one", "HOME=/", "TWICE=two", "TWICED=other"]
    lines = made.run_ok().splitlines()
    assert [line for line in lines if line.startswith("TWICE")] == ["TWICE=two", "TWICED=other"]


def test_home_in_the_environment_wins(container):
    made = container(shell="echo $HOME")
    made.bundle.process["env"].append("HOME=/elsewhere")
    assert made.run_ok() == "/elsewhere\n"


def test_an_empty_home_is_replaced(container):
    made = container(shell="echo $HOME")
    made.bundle.process["env"].append("HOME=")
    assert made.run_ok() == "/root\n"


def test_home_without_a_passwd_file(container):
    made = container(shell="echo $HOME")
    os.unlink(f"{made.bundle.rootfs}/etc/passwd")
    assert made.run_ok() == "/\n"


def test_a_passwd_that_is_a_symlink_out_of_the_root_is_not_followed(container, workdir):
    with open(f"{workdir}/passwd", "w", encoding="utf-8") as file:
        file.write("root:x:0:0:root:/from/the/host:/bin/sh\n")
    made = container(shell="echo $HOME")
    os.unlink(f"{made.bundle.rootfs}/etc/passwd")
    os.symlink(f"{workdir}/passwd", f"{made.bundle.rootfs}/etc/passwd")
    assert made.run_ok() != "/from/the/host\n"


def test_the_program_is_looked_up_on_the_containers_path(container):
    made = container("tool")
    os.mkdir(f"{made.bundle.rootfs}/opt")
    os.symlink("/bin/busybox", f"{made.bundle.rootfs}/opt/hostname")
    made.bundle.args("hostname").process["env"] = ["PATH=/nowhere:/opt"]
    assert made.run_ok() == "box\n"


def test_the_program_may_be_relative_to_cwd(container):
    made = container("./hostname")
    made.bundle.process["cwd"] = "/bin"
    assert made.run_ok() == "box\n"


def test_nothing_of_the_callers_environment_is_left(container):
    made = container("env")
    made.runtime.environment["LEAK"] = "yes"
    assert "LEAK" not in made.run_ok() and made.runtime.token not in made.run_ok()


# ---- capabilities ----


def test_all_capability_sets_are_as_asked_for(container):
    made = container(*STATUS)
    made.bundle.process["user"] = {"uid": 1000, "gid": 1000}
    made.bundle.process["noNewPrivileges"] = False
    made.bundle.process["capabilities"] = {
        "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT"],
        "permitted": ["CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_CHOWN"],
        "effective": ["CAP_KILL", "CAP_NET_BIND_SERVICE"],
        "inheritable": ["CAP_KILL", "CAP_NET_BIND_SERVICE"],
        "ambient": ["CAP_KILL", "CAP_NET_BIND_SERVICE"],
    }
    both = mask(KILL, NET_BIND_SERVICE)
    # Executing a program without file capabilities as non-root leaves the ambient ones (capabilities(7)).
    assert capability_sets(made.run_ok()) == {
        "Inh": both,
        "Prm": both,
        "Eff": both,
        "Bnd": mask(CHOWN, KILL, NET_BIND_SERVICE, SYS_CHROOT),
        "Amb": both,
    }


def test_root_has_the_bounding_set(container):
    made = container(*STATUS)
    made.bundle.capabilities("CAP_CHOWN", "CAP_KILL")
    expected = mask(CHOWN, KILL)
    assert capability_sets(made.run_ok()) == {
        "Inh": 0,
        "Prm": expected,
        "Eff": expected,
        "Bnd": expected,
        "Amb": 0,
    }


def test_a_user_without_ambient_capabilities_has_none(container):
    made = container(*STATUS)
    made.bundle.process["user"] = {"uid": 1000, "gid": 1000}
    made.bundle.capabilities("CAP_CHOWN", "CAP_KILL")
    sets = capability_sets(made.run_ok())
    assert (sets["Eff"], sets["Prm"], sets["Amb"]) == (0, 0, 0)
    assert sets["Bnd"] == mask(CHOWN, KILL)


def test_no_capabilities_at_all(container):
    made = container(*STATUS)
    made.bundle.capabilities(sets=("bounding", "effective", "permitted", "inheritable", "ambient"))
    assert set(capability_sets(made.run_ok()).values()) == {0}


def test_ambient_without_inheritable_is_tolerated(container):
    """buildah writes that."""
    made = container(*STATUS)
    made.bundle.capabilities("CAP_KILL", sets=("bounding", "effective", "permitted", "ambient"))
    assert capability_sets(made.run_ok())["Eff"] == mask(KILL)


def test_an_unknown_capability_is_a_warning(container):
    made = container(*STATUS)
    made.bundle.capabilities("CAP_KILL", "CAP_NO_SUCH_THING")
    result = made.run()
    assert result.returncode == 0
    assert capability_sets(result.stdout)["Bnd"] == mask(KILL)
    assert "CAP_NO_SUCH_THING" in result.stderr


def all_capabilities():
    with open("/proc/sys/kernel/cap_last_cap", encoding="utf-8") as file:
        return mask(*range(int(file.read()) + 1))


@pytest.mark.ours
def test_a_capability_that_the_runtime_lacks_is_a_warning_and_is_not_given(container):
    """This machine's bounding set lacks CAP_SYS_RESOURCE."""
    own = capability_sets(open("/proc/self/status", encoding="utf-8").read())["Bnd"]
    if own == all_capabilities():
        pytest.skip("this machine lacks no capability")
    made = container(*STATUS)
    made.bundle.capabilities("CAP_KILL", "CAP_SYS_RESOURCE")
    result = made.run()
    assert result.returncode == 0
    assert capability_sets(result.stdout)["Bnd"] == mask(KILL)
    assert "CAP_SYS_RESOURCE" in result.stderr


def test_capabilities_hold_what_they_promise(container):
    made = container(shell="chown 1:1 /tmp/x")
    made.bundle.writable()
    with open(f"{made.bundle.rootfs}/tmp/x", "w", encoding="utf-8"):
        pass
    made.bundle.capabilities("CAP_KILL")
    assert made.run().returncode == 1
    made.bundle.capabilities("CAP_CHOWN")
    assert made.run().returncode == 0


# ---- limits and other attributes ----


def test_rlimits(container):
    made = container("cat", "/proc/self/limits")
    made.bundle.process["rlimits"] = [
        {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
        {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        {"type": "RLIMIT_NPROC", "soft": 300, "hard": 300},
        {"type": "RLIMIT_STACK", "soft": 1 << 20, "hard": 1 << 23},
    ]
    limits = {line[:26].strip(): line[26:].split()[:2] for line in made.run_ok().splitlines()}
    assert limits["Max open files"] == ["100", "200"]
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max processes"] == ["300", "300"]
    assert limits["Max stack size"] == [str(1 << 20), str(1 << 23)]


def test_an_rlimit_given_twice_is_refused(container):
    made = container("true")
    made.bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": n, "hard": n} for n in (1, 2)]
    made.run().assert_refused("RLIMIT_NOFILE", "process.rlimits")


def test_an_unknown_rlimit_is_refused(container):
    made = container("true")
    made.bundle.process["rlimits"] = [{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}]
    result = made.run()
    assert result.returncode != 0 and "RLIMIT_NOSUCH" in result.stderr


@pytest.mark.parametrize("wanted", [True, False])
def test_no_new_privileges(container, wanted):
    made = container("grep", "NoNewPrivs", "/proc/self/status")
    made.bundle.process["noNewPrivileges"] = wanted
    assert made.run_ok().split()[1] == str(int(wanted))


@pytest.mark.parametrize("score", [0, 500, 1000])
def test_oom_score_adj(container, score):
    made = container("cat", "/proc/self/oom_score_adj")
    made.bundle.process["oomScoreAdj"] = score
    assert made.run_ok() == f"{score}\n"


def test_oom_score_adj_is_the_callers_when_not_asked_for(container):
    with open("/proc/self/oom_score_adj", encoding="utf-8") as file:
        assert container("cat", "/proc/self/oom_score_adj").run_ok() == file.read()


def test_the_program_leads_its_own_session(container):
    fields = container("cut", "-d ", "-f5,6", "/proc/self/stat").run_ok().split()
    assert fields == ["1", "1"]


def test_the_first_process_survives_the_end_of_the_runtime(container):
    """The parent-death signal that LXC sets is cleared."""
    made = container("sleep", "100").up()
    assert made.status == "running"
    assert process_status(made.pid)["Name"] == "sleep"


def test_an_apparmor_profile_on_a_kernel_without_apparmor_is_refused(container):
    if os.path.exists("/sys/module/apparmor/parameters/enabled"):
        pytest.skip("this kernel has AppArmor")
    made = container("true")
    made.bundle.process["apparmorProfile"] = "some-profile"
    result = made.run()
    assert result.returncode != 0 and "apparmor" in result.stderr.lower()


# ---- seccomp ----


def seccomp(container, syscalls, *args, shell=None, default="SCMP_ACT_ALLOW", **more):
    made = container(*args, shell=shell)
    made.bundle.writable().linux["seccomp"] = {"defaultAction": default, "syscalls": syscalls, **more}
    return made


MKDIR = ["mkdir", "mkdirat"]


def test_a_filtered_system_call_gets_eperm(container):
    made = seccomp(container, [{"names": MKDIR, "action": "SCMP_ACT_ERRNO"}], "mkdir", "/new")
    result = made.run()
    assert result.returncode == 1 and "Operation not permitted" in result.stderr
    assert not os.path.exists(f"{made.bundle.rootfs}/new")


def test_a_filtered_system_call_gets_the_error_number_asked_for(container):
    rule = {"names": MKDIR, "action": "SCMP_ACT_ERRNO", "errnoRet": 38}
    result = seccomp(container, [rule], "mkdir", "/new").run()
    assert result.returncode == 1 and "Function not implemented" in result.stderr


def test_a_filtered_system_call_can_kill(container):
    made = seccomp(container, [{"names": MKDIR, "action": "SCMP_ACT_KILL_PROCESS"}], "mkdir", "/new")
    assert made.run().returncode == 128 + 31


def test_seccomp_is_shown_in_the_status(container):
    line = ("grep", "Seccomp:", "/proc/self/status")
    made = seccomp(container, [{"names": MKDIR, "action": "SCMP_ACT_ERRNO"}], *line)
    assert made.run_ok().split() == ["Seccomp:", "2"]
    assert container(*line).run_ok().split() == ["Seccomp:", "0"]


def test_a_filter_can_look_at_arguments(container):
    rule = {
        "names": ["kill", "tkill", "tgkill"],
        "action": "SCMP_ACT_ERRNO",
        "args": [{"index": 1, "value": 12, "op": "SCMP_CMP_EQ"}],
    }
    made = seccomp(container, [rule], shell="kill -USR2 $$ && exit 9; kill -CONT $$ && echo others pass")
    result = made.run()
    assert result.returncode == 0 and result.stdout == "others pass\n"


def test_a_filters_masked_comparison(container):
    """As in Docker's profile: value is the mask, valueTwo what it is compared with."""
    rule = {
        "names": ["mkdir"],
        "action": "SCMP_ACT_ERRNO",
        "args": [{"index": 1, "value": 0o700, "valueTwo": 0o700, "op": "SCMP_CMP_MASKED_EQ"}],
    }
    made = seccomp(container, [rule], shell="umask 0; mkdir -m 755 /a; mkdir /b; test ! -d /b")
    assert made.run().returncode == 0


def test_default_action_and_default_errno(container):
    """Everything is refused but what is listed: here all that the program needs but mkdir."""
    with open(docker_config("docker26-config-1.json"), encoding="utf-8") as file:
        profile = json.load(file)["linux"]["seccomp"]
    made = container("mkdir", "/new")
    for rule in profile["syscalls"]:
        rule["names"] = [name for name in rule["names"] if name not in MKDIR]
    profile["syscalls"] = [rule for rule in profile["syscalls"] if rule["names"]]
    profile["defaultErrnoRet"] = 17
    made.bundle.writable().linux["seccomp"] = profile
    result = made.run()
    assert result.returncode == 1 and "File exists" in result.stderr


def docker_config(name):
    return os.path.join(os.path.dirname(__file__), "../data/engines", name)


@pytest.mark.parametrize("name", ["docker-config-1.json", "docker26-config-1.json"])
def test_dockers_default_profiles(container, name):
    with open(docker_config(name), encoding="utf-8") as file:
        profile = json.load(file)["linux"]["seccomp"]
    made = container(shell="grep Seccomp: /proc/self/status; unshare -U true && echo allowed; mkdir /tmp/x && ls /tmp")
    made.bundle.writable()
    assert "allowed" in made.run_ok()
    os.rmdir(f"{made.bundle.rootfs}/tmp/x")
    made.bundle.linux["seccomp"] = profile
    result = made.run()
    assert result.returncode == 0
    assert result.stdout.split() == ["Seccomp:", "2", "x"]
    assert "Operation not permitted" in result.stderr


def test_system_calls_that_are_not_known_are_ignored_in_a_filter(container):
    rule = {"names": ["no_such_call", *MKDIR], "action": "SCMP_ACT_ERRNO"}
    assert seccomp(container, [rule], "mkdir", "/new").run().returncode == 1


def test_several_architectures(container):
    made = seccomp(
        *(container, [{"names": MKDIR, "action": "SCMP_ACT_ERRNO"}], "mkdir", "/new"),
        architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    )
    assert made.run().returncode == 1


@pytest.mark.parametrize(
    "change, word",
    [
        ({"defaultAction": "SCMP_ACT_NOSUCH"}, "SCMP_ACT_NOSUCH"),
        ({"architectures": ["SCMP_ARCH_NOSUCH"]}, "SCMP_ARCH_NOSUCH"),
        ({"syscalls": [{"names": MKDIR, "action": "SCMP_ACT_NOSUCH"}]}, "SCMP_ACT_NOSUCH"),
        (
            {
                "syscalls": [
                    {
                        "names": MKDIR,
                        "action": "SCMP_ACT_ERRNO",
                        "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_NOSUCH"}],
                    }
                ]
            },
            "SCMP_CMP_NOSUCH",
        ),
    ],
    ids=["default action", "architecture", "action", "operator"],
)
def test_a_bad_filter_is_an_error_that_names_what_is_wrong(container, change, word):
    made = container("true")
    made.bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", **change}
    result = made.run()
    assert result.returncode != 0 and word in result.stderr
    assert not made.exists


def test_the_filter_does_not_stop_the_runtime_itself(container):
    """With no_new_privs off the filter is loaded before the privileges are gone; execve and what it
    takes to get there must still work."""
    for wanted in (True, False):
        made = container("true")
        made.bundle.process["noNewPrivileges"] = wanted
        names = ["setuid", "setgid", "setgroups", "capset", "chdir", "prctl", "umask", "sethostname"]
        made.bundle.linux["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": [n for n in names if wanted], "action": "SCMP_ACT_ERRNO"}] if wanted else [],
        }
        assert made.run().returncode == 0
