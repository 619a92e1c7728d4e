# SPDX-License-Identifier: Apache-2.0
"""features: the OCI features document. config: a container's configuration as LXC sees it."""

import json

import pytest

from lib import system


@pytest.fixture
def features(runtime):
    return json.loads(runtime.ok(argv=[runtime.command, "features"]).stdout)


def test_versions_are_semantic_versions(features):
    assert features["ociVersionMin"].startswith("1.0.0")
    assert features["ociVersionMax"].startswith("1.")


def test_hooks_and_mount_options_are_lists_of_names(features):
    assert {"prestart", "createRuntime", "poststop"} <= set(features["hooks"])
    assert {"ro", "rw", "bind", "rbind", "nosuid", "rprivate", "rslave", "rshared", "tmpcopyup", "rro"} <= set(
        features["mountOptions"]
    )


def test_linux_features(features):
    assert {"pid", "network", "mount", "ipc", "uts", "user", "cgroup"} <= set(features["linux"]["namespaces"])
    assert {"CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE"} <= set(features["linux"]["capabilities"])
    assert features["linux"]["cgroup"]["v1"] is True
    assert isinstance(features["linux"]["apparmor"]["enabled"], bool)


def test_seccomp_features(features):
    seccomp = features["linux"]["seccomp"]
    assert seccomp["enabled"] is True
    assert {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS"} <= set(seccomp["actions"])
    assert {"SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ"} <= set(seccomp["operators"])
    assert "SCMP_ARCH_X86_64" in seccomp["archs"]


@pytest.mark.ours
def test_every_mount_option_that_features_names_is_accepted(features, container):
    left_out = {"remount", "acl", "noacl", "mand", "runbindable", "unbindable", "idmap", "ridmap"}
    for option in sorted(set(features["mountOptions"]) - left_out):
        made = container("true")
        if option == "tmpcopyup":
            made.bundle.mount("/mnt", "tmpfs", option, kind="tmpfs")
        else:
            made.bundle.mount("/mnt", ".", "rbind", option)
        result = made.run()
        assert result.returncode == 0, f"{option}: {result}"


@pytest.mark.ours
def test_features_says_what_it_is(features, runtime):
    assert features["ociVersionMax"] == "1.3.0"
    assert features["annotations"]["org.linuxcontainers.lxc.version"]


@pytest.mark.ours
def test_features_of_version_1_3(features):
    linux = features["linux"]
    assert "time" in linux["namespaces"]
    assert linux["netDevices"] == {"enabled": True}
    assert linux["intelRdt"] == {"enabled": True, "schemata": True, "monitoring": True}
    assert {"MPOL_BIND", "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"} <= set(linux["memoryPolicy"]["modes"])
    assert set(linux["memoryPolicy"]["flags"]) == {f"MPOL_F_{n}" for n in ("NUMA_BALANCING", "RELATIVE_NODES", "STATIC_NODES")}


@pytest.mark.ours
def test_features_promises_no_namespace_that_is_refused(features, container):
    for kind in features["linux"]["namespaces"]:
        made = container("true")
        if kind == "user":
            made.bundle.user_namespace()
        else:
            made.bundle.with_namespace(kind)
        made.run_ok()


@pytest.mark.ours
def test_config_shows_the_lxc_configuration(container):
    made = container("sleep", "100")
    made.bundle.config["hostname"] = "shown"
    made.bundle.resources["memory"] = {"limit": 64 << 20}
    made.create()
    lines = made.runtime.ok("config", made.id).stdout.splitlines()
    settings = [line.split(" = ", 1) for line in lines if line and not line.startswith("#")]
    assert all(key.startswith("lxc.") for key, *_ in settings), lines
    values = {key: value for key, value in settings}
    assert values["lxc.rootfs.path"].endswith(made.bundle.rootfs)
    assert values["lxc.uts.name"] == "shown"
    limit = "lxc.cgroup.memory.limit_in_bytes" if system.on_cgroup_v1() else "lxc.cgroup2.memory.max"
    assert values[limit] == str(64 << 20)


@pytest.mark.ours
def test_config_of_a_running_and_of_a_stopped_container(container):
    made = container("sleep", "100").up()
    running = made.runtime.ok("config", made.id).stdout
    made.stop()
    assert made.runtime.ok("config", made.id).stdout == running


@pytest.mark.ours
def test_config_of_an_unknown_container_is_an_error(runtime):
    result = runtime("config", runtime.new_id())
    result.assert_refused("container does not exist")


@pytest.mark.ours
def test_a_value_is_one_value_whatever_it_holds(container):
    """A newline in a hostname, a path or an annotation adds no line to LXC's configuration."""
    made = container("sleep", "100")
    made.bundle.config["annotations"] = {"key\nlxc.uts.name = evil": "value\nlxc.uts.name = evil"}
    made.bundle.process["env"].append("X=1\nlxc.uts.name = evil")
    made.create()
    lines = made.runtime.ok("config", made.id).stdout.splitlines()
    assert "lxc.uts.name = evil" not in lines
