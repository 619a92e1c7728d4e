# SPDX-License-Identifier: Apache-2.0
"""Hooks that run on the host: what they get, when, and what their failure does."""

import json

import pytest

from lib import system


@pytest.fixture
def hooked(container, workdir):
    """A container with shell scripts as hooks; each writes into the test's directory."""

    def make(shell="sleep 100", **scripts):
        made = container(shell=shell)
        made.bundle.config["hooks"] = {
            kind: [
                {"path": "/bin/sh", "args": ["sh", "-c", script], "env": [f"OUT={workdir}", "PATH=/usr/bin:/bin"]}
            ]
            for kind, script in scripts.items()
        }
        return made

    return make


def written(workdir, name):
    with open(f"{workdir}/{name}", encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_a_hook_gets_the_state_on_its_standard_input(hooked, workdir, kind):
    made = hooked(**{kind: "cat > $OUT/seen"})
    made.bundle.config["annotations"] = {"key": "value"}
    made.create()
    state = json.loads(written(workdir, "seen"))
    assert state["id"] == made.id
    assert state["pid"] == made.pid
    assert state["bundle"] == made.bundle.path
    assert state["status"] in ("creating", "created")
    assert state["ociVersion"].startswith("1.")
    assert state["annotations"] == {"key": "value"}


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_a_hook_before_pivot_acts_in_the_hosts_namespaces_on_the_containers(hooked, workdir, kind):
    """As Docker's network hook does: it enters the network namespace of the pid it was told."""
    script = (
        "pid=$(grep -o '\"pid\": *[0-9]*' | grep -o '[0-9]*$'); "
        "readlink /proc/$pid/ns/net /proc/self/ns/net /proc/self/ns/mnt > $OUT/ns"
    )
    made = hooked(**{kind: script})
    made.create()
    theirs, own_net, own_mnt = written(workdir, "ns").split()
    assert theirs == system.namespace(made.pid, "net")
    assert own_net == system.namespace("self", "net")
    assert own_mnt == system.namespace("self", "mnt")


def test_arguments_and_environment_are_exactly_as_given(container, workdir):
    script = f"tr '\\0' '\\n' < /proc/$$/environ > {workdir}/environment; echo \"$0|$1|$2\" > {workdir}/arguments"
    made = container("sleep", "100")
    made.bundle.config["hooks"] = {
        "createRuntime": [
            {
                "path": "/bin/sh",
                "args": ["sh", "-c", script, "zero", "a b", ""],
                "env": ["PATH=/usr/bin:/bin", "TWO=a b"],
            }
        ]
    }
    made.create()
    assert written(workdir, "arguments") == "zero|a b|\n"
    assert written(workdir, "environment").splitlines() == ["PATH=/usr/bin:/bin", "TWO=a b"]


@pytest.mark.ours  # runc 1.1 runs poststart before start
def test_hooks_run_in_their_order(hooked, workdir):
    scripts = {
        kind: f"echo {kind} >> $OUT/order" for kind in ("prestart", "createRuntime", "poststart", "poststop")
    }
    made = hooked(shell="exit 0", **scripts)
    made.create()
    assert written(workdir, "order").split() == ["prestart", "createRuntime"]
    made.start()
    assert written(workdir, "order").split() == ["prestart", "createRuntime", "poststart"]
    made.wait()
    assert written(workdir, "order").split()[-1] == "poststart"
    made.delete()
    assert written(workdir, "order").split() == ["prestart", "createRuntime", "poststart", "poststop"]


def test_several_hooks_of_a_kind_run_in_their_order(hooked, workdir):
    made = hooked(prestart="echo 1 >> $OUT/order")
    hooks = made.bundle.config["hooks"]["prestart"]
    hooks.append(json.loads(json.dumps(hooks[0]).replace("echo 1", "echo 2")))
    made.create()
    assert written(workdir, "order").split() == ["1", "2"]


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_a_hook_that_fails_stops_the_creation_and_leaves_nothing(hooked, kind):
    made = hooked(**{kind: "exit 7"})
    made.bundle.write()
    result = made.runtime("create", "--bundle", made.bundle.path, made.id)
    result.assert_refused("hook", kind, "7")
    assert "hook" in result.stderr
    assert not made.exists


def test_what_a_failing_hook_says_is_told(hooked):
    made = hooked(prestart="echo it is broken >&2; exit 7")
    assert "it is broken" in made.run().stderr


def test_a_hook_that_is_missing_is_an_error_that_names_it(container):
    made = container("true")
    made.bundle.config["hooks"] = {"prestart": [{"path": "/no/such/hook"}]}
    result = made.run()
    result.assert_refused("/no/such/hook")
    assert "/no/such/hook" in result.stderr and not made.exists


def test_a_hook_that_takes_too_long_is_killed(hooked):
    made = hooked(prestart="exec sleep 100")
    made.bundle.config["hooks"]["prestart"][0]["timeout"] = 1
    made.bundle.write()
    made.runtime("create", "--bundle", made.bundle.path, made.id).assert_refused("hook")
    assert not made.exists


def test_a_failing_poststop_hook_does_not_keep_the_container(hooked):
    made = hooked(shell="exit 0", poststop="exit 7")
    made.up()
    made.wait()
    made.runtime("delete", made.id)
    assert not made.exists


def test_run_runs_the_hooks(hooked, workdir):
    scripts = {kind: f"echo {kind} >> $OUT/order" for kind in ("prestart", "poststart", "poststop")}
    made = hooked(shell="exit 3", **scripts)
    assert made.run().returncode == 3
    assert written(workdir, "order").split() == ["prestart", "poststart", "poststop"]
