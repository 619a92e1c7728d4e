# SPDX-License-Identifier: Apache-2.0
"""runlxc spec: a default config.json that runs as it is."""

import json
import os

import pytest

from lib.bundle import DEFAULT_CONFIG, Bundle
from lib.terminal import UserTerminal


@pytest.fixture
def written(runtime, workdir):
    """What `spec` writes with the given flags."""

    def write(*flags):
        directory = f"{workdir}/spec"
        os.mkdir(directory)
        runtime.ok("spec", *flags, cwd=directory)
        with open(f"{directory}/config.json", encoding="utf-8") as file:
            return json.load(file)

    return write


def test_spec_writes_runcs_default_config_into_the_current_directory(written):
    config = written()
    assert config["ociVersion"].startswith("1.")
    assert config["process"]["terminal"] is True
    assert config["process"]["args"] == ["sh"]
    assert config["root"] == {"path": "rootfs", "readonly": True}
    for key in ("user", "env", "cwd", "rlimits", "noNewPrivileges"):
        assert config["process"][key] == DEFAULT_CONFIG["process"][key]
    for kind in ("bounding", "effective", "permitted"):
        assert (
            config["process"]["capabilities"][kind] == DEFAULT_CONFIG["process"]["capabilities"][kind]
        )
    assert config["mounts"] == DEFAULT_CONFIG["mounts"]
    kinds = {namespace["type"] for namespace in config["linux"]["namespaces"]}
    assert kinds - {"cgroup"} == {"pid", "network", "ipc", "uts", "mount"}
    assert config["linux"]["resources"]["devices"] == [{"allow": False, "access": "rwm"}]
    assert set(DEFAULT_CONFIG["linux"]["maskedPaths"]) <= set(config["linux"]["maskedPaths"])
    assert config["linux"]["readonlyPaths"] == DEFAULT_CONFIG["linux"]["readonlyPaths"]


def test_spec_b_writes_into_the_bundle(runtime, workdir):
    os.mkdir(f"{workdir}/elsewhere")
    runtime.ok("spec", "-b", f"{workdir}/elsewhere")
    assert os.path.exists(f"{workdir}/elsewhere/config.json")


def test_spec_does_not_overwrite_a_config(runtime, workdir):
    with open(f"{workdir}/config.json", "w", encoding="utf-8") as file:
        file.write("mine")
    result = runtime.fails("spec", cwd=workdir)
    assert "config.json" in result.stderr and "exist" in result.stderr
    with open(f"{workdir}/config.json", encoding="utf-8") as file:
        assert file.read() == "mine"


def test_spec_into_a_directory_that_is_not_there_names_it(runtime, workdir):
    result = runtime.fails("spec", "-b", f"{workdir}/nowhere")
    assert "nowhere" in result.stderr


def test_spec_rootless_asks_for_a_user_namespace_with_the_callers_ids(written):
    config = written("--rootless")
    kinds = {namespace["type"] for namespace in config["linux"]["namespaces"]}
    assert "user" in kinds and "network" not in kinds
    assert config["linux"]["uidMappings"] == [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
    assert config["linux"]["gidMappings"] == [{"containerID": 0, "hostID": os.getegid(), "size": 1}]
    assert "resources" not in config["linux"]


def test_the_written_config_runs_a_shell_in_a_terminal(runtime, workdir, session_directory):
    bundle = Bundle(f"{workdir}/b", f"{session_directory}/busybox")
    runtime.ok("spec", "-b", bundle.path)
    with UserTerminal() as terminal:
        terminal.run(runtime.argv("run", "-b", bundle.path, runtime.new_id()), runtime.environment)
        terminal.screen_until("# ")
        terminal.type("echo $((6 * 7)) from $$; exit 9\n")
        terminal.screen_until("42 from 1")
        assert terminal.wait() == 9


def test_the_written_config_runs_with_one_changed_program(runtime, bundle, workdir):
    made = bundle()
    os.mkdir(f"{workdir}/spec")
    runtime.ok("spec", cwd=f"{workdir}/spec")
    with open(f"{workdir}/spec/config.json", encoding="utf-8") as file:
        made.config = json.load(file)
    made.process["terminal"] = False
    made.args("hostname")
    assert runtime.container(made).run_ok() == made.config["hostname"] + "\n"
