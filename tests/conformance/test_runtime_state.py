# SPDX-License-Identifier: Apache-2.0
"""runtime.md: the state of a container, and who may act on it."""

import json
import os
import re

import pytest

from clauses import clause
from lib.hooks import Hooked

STATUSES = ("creating", "created", "running", "stopped")


@pytest.fixture
def made(container):
    return container("sleep", "100")


def states(made):
    """The state of one container at every point of its life."""
    made.create()
    found = {"created": made.state()}
    made.start()
    found["running"] = made.state()
    made.stop()
    found["stopped"] = made.state()
    return found


@clause("scope-operations")
def test_who_created_a_container_can_use_every_operation_on_it(made):
    made.create()
    assert made.state()["id"] == made.id
    made.start()
    made.kill("KILL")
    made.wait()
    made.delete()
    made.runtime.fails("state", made.id)


@clause("state-required", "state-status")
def test_the_state_has_what_is_required_at_every_point(made):
    for status, state in states(made).items():
        assert re.fullmatch(r"1\.\d+\.\d+\S*", state["ociVersion"])
        assert (state["id"], state["status"]) == (made.id, status)
        assert state["bundle"] == made.bundle.path


@clause("state-id-unique")
def test_an_id_is_unique(made, container):
    made.create()
    other = container("true")
    other.bundle.write()
    other.runtime.fails("create", "--bundle", other.bundle.path, made.id)
    assert [entry["id"] for entry in made.runtime.list()] == [made.id]
    assert made.state()["bundle"] == made.bundle.path


@clause("state-status-additional")
def test_another_status_is_for_another_state(made):
    made.up()
    made.runtime.ok("pause", made.id)
    assert made.status not in STATUSES
    made.runtime.ok("resume", made.id)
    assert made.status == "running"


@clause("state-pid")
def test_the_pid_is_the_container_process(made):
    found = states(made)
    for status in ("created", "running"):
        assert found[status]["pid"] == made.pid


@clause("state-pid")
def test_the_pid_is_as_the_host_sees_it(container):
    made = container(shell="echo $$; sleep 100").up()
    made.wait_output("1\n")
    pid = made.state()["pid"]
    assert pid != 1
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        assert f"NSpid:\t{pid}\t1\n" in status.read()


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "poststart"])
@clause("state-pid-runtime-hooks")
def test_a_hook_in_the_runtimes_namespace_gets_the_hosts_pid(made, workdir, kind):
    hooked = Hooked(made, f"{workdir}/out").add(kind, "cat > $OUT/state").go_through(kind)
    assert json.loads(hooked.written("state"))["pid"] == made.pid


@pytest.mark.parametrize("kind", ["createContainer", "startContainer"])
@clause("state-pid-container-hooks")
def test_a_hook_in_the_containers_namespace_gets_the_containers_pid(made, workdir, kind):
    hooked = Hooked(made, f"{workdir}/out").add(kind, "cat > $OUT/state").go_through(kind)
    assert json.loads(hooked.written("state"))["pid"] == 1


@clause("state-bundle")
def test_the_bundle_is_an_absolute_path(made):
    made.bundle.write()
    directory, name = os.path.split(made.bundle.path)
    made.runtime.ok("create", "--bundle", name, made.id, cwd=directory)
    assert made.state()["bundle"] == made.bundle.path


@clause("state-annotations")
@pytest.mark.parametrize("annotations", [{"myKey": "myValue", "com.example.empty": ""}, {}, None])
def test_the_annotations_are_those_of_the_config(made, annotations):
    if annotations is not None:
        made.bundle.config["annotations"] = annotations
    for state in states(made).values():
        assert (state.get("annotations") or {}) == (annotations or {})


@clause("state-schema")
def test_the_state_adheres_to_the_schema(made):
    """The schema by hand, without a library: its types, its enumeration, its required properties."""
    made.bundle.config["annotations"] = {"key": "value"}
    for state in states(made).values():
        assert isinstance(state["ociVersion"], str) and isinstance(state["id"], str)
        assert state["status"] in STATUSES
        assert isinstance(state.get("pid", 0), int) and state.get("pid", 0) >= 0
        assert isinstance(state["bundle"], str)
        assert all(isinstance(text, str) for pair in state["annotations"].items() for text in pair)
