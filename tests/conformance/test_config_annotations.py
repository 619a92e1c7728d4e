# SPDX-License-Identifier: Apache-2.0
"""config.md: annotations, extensibility, valid values."""

import pytest

from clauses import clause


@clause("annotations-map")
@pytest.mark.parametrize("annotations", [[], ["key=value"], "key=value", 1], ids=repr)
def test_annotations_that_are_no_map_are_an_error(container, refused, annotations):
    made = container("true")
    made.bundle.config["annotations"] = annotations
    refused(made)


@clause("annotations-keys-strings")
def test_keys_that_are_no_strings_are_an_error(container, refused):
    """Nor would they be JSON."""
    made = container("true")
    made.bundle.config["annotations"] = {"key": "value"}
    made.bundle.write()
    with open(f"{made.bundle.path}/config.json", encoding="utf-8") as file:
        text = file.read()
    assert '"key": "value"' in text
    made.bundle.write(text.replace('"key": "value"', '1: "value"'))
    made.runtime.fails("create", "--bundle", made.bundle.path, made.id)
    assert made.runtime.list() == []


@clause("annotations-keys-empty")
def test_an_empty_key_is_an_error(container, refused):
    made = container("true")
    made.bundle.config["annotations"] = {"": "value"}
    refused(made)


@clause("annotations-unknown")
def test_unknown_keys_are_taken(container):
    made = container("echo", "ran")
    made.bundle.config["annotations"] = {
        "com.example.key": "value",
        "org.opencontainers.nosuch": "value",
        "no reverse domain": "",
        "x" * 300: "y" * 3000,
    }
    assert made.run_ok() == "ran\n"


@clause("annotations-values")
@pytest.mark.parametrize("value", [1, True, {}, ["a"]], ids=repr)
def test_values_that_are_no_strings_are_an_error(container, refused, value):
    made = container("true")
    made.bundle.config["annotations"] = {"key": value}
    refused(made)


@clause("annotations-values")
def test_a_value_may_be_empty(container):
    made = container("sleep", "100")
    made.bundle.config["annotations"] = {"com.example.empty": ""}
    made.create()
    assert made.state()["annotations"] == {"com.example.empty": ""}


@clause("extensibility")
def test_unknown_properties_are_ignored(container):
    made = container("echo", "ran")
    for place in (
        made.bundle.config,
        made.bundle.config["root"],
        made.bundle.config["mounts"][0],
        made.bundle.process,
        made.bundle.process["user"],
        made.bundle.process["capabilities"],
        made.bundle.process["rlimits"][0],
        made.bundle.linux,
        made.bundle.linux["namespaces"][0],
        made.bundle.resources,
        made.bundle.resources["devices"][0],
    ):
        place["x-unknown"] = {"deep": [1, None, "x"]}
        place["alsoUnknown"] = "text"
    made.bundle.config["hooks"] = {"x-unknown": [{"path": "relative"}], "prestart": [{"path": "/bin/true", "x": 1}]}
    result = made.run()
    assert (result.returncode, result.stdout) == (0, "ran\n"), result


@clause("extensibility")
def test_what_is_of_other_platforms_is_ignored(container):
    made = container("echo", "ran")
    made.bundle.config.update(windows={"layerFolders": []}, solaris={"milestone": "x"}, vm={}, zos={}, freebsd={})
    assert made.run_ok() == "ran\n"


def set_in(config, path, value):
    *parents, last = path.split(".")
    for key in parents:
        config = config.setdefault(key, {})
    config[last] = value


@clause("valid-values")
@pytest.mark.parametrize(
    "path, value",
    [
        ("process.user.uid", -1),
        ("process.user.uid", "root"),
        ("process.user.umask", 0o10000),
        ("process.terminal", "yes"),
        ("process.oomScoreAdj", 1001),
        ("process.env", {"PATH": "/bin"}),
        ("process.capabilities", ["CAP_KILL"]),
        ("process.noNewPrivileges", "true"),
        ("root.readonly", "false"),
        ("mounts", {"destination": "/mnt"}),
        ("hostname", 5),
        ("hooks", []),
        ("hooks.prestart", {"path": "/bin/true"}),
        ("linux.namespaces", [{"type": "nosuch"}]),
        ("linux.rootfsPropagation", "nosuch"),
        ("linux.personality", {"domain": "NOSUCH"}),
        ("linux.sysctl", {"kernel.hostname": "x", "kernel.panic": "1"}),
        ("linux.resources.memory.limit", "64M"),
        ("linux.resources.cpu.cpus", "nonsense"),
        ("linux.resources.pids.limit", "many"),
        ("linux.seccomp", {"defaultAction": "SCMP_ACT_NOSUCH"}),
        ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_NOSUCH"]}),
        ("linux.seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_NOSUCH"]}),
        ("linux.memoryPolicy", {"mode": "MPOL_NOSUCH"}),
    ],
)
def test_an_invalid_value_is_an_error(container, refused, path, value):
    made = container("true")
    set_in(made.bundle.config, path, value)
    refused(made)
