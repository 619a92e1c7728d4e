# SPDX-License-Identifier: Apache-2.0
"""state and list: what there is, in runc's JSON and table."""

import json
import os
import re
import subprocess

import pytest

RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"


def test_state_has_runcs_fields(container):
    made = container("sleep", "100")
    made.bundle.config["annotations"] = {"org.example.key": 'a "value"', "other": ""}
    made.create()
    state = made.state()
    assert set(state) == {
        *("ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "owner", "annotations")
    }
    assert state["ociVersion"].startswith("1.")
    assert state["id"] == made.id
    assert state["pid"] == made.pid
    assert state["status"] == "created"
    assert state["bundle"] == made.bundle.path
    assert state["rootfs"] == made.bundle.rootfs
    assert re.fullmatch(RFC3339, state["created"])
    assert state["owner"] in ("root", "")
    assert state["annotations"] == {"org.example.key": 'a "value"', "other": ""}


def test_state_of_an_unknown_container_is_an_error(runtime):
    result = runtime.fails("state", runtime.new_id())
    assert "container does not exist" in result.stderr
    assert result.stdout == ""


def test_state_of_a_container_whose_process_died_is_stopped_not_missing(container):
    made = container("sleep", "100").up()
    os.kill(made.pid, 9)
    made.wait()
    state = made.state()
    assert (state["status"], state["pid"]) == ("stopped", 0)


@pytest.mark.parametrize("where", ["bundle", "annotation"])
def test_what_is_no_text_makes_no_bad_json(container, workdir, where):
    """A path may hold any bytes; runc writes U+FFFD for them."""
    made = container("sleep", "100")
    if where == "bundle":
        path = os.fsencode(f"{workdir}/b") + b"\xff"
        made.bundle.write()
        os.rename(made.bundle.path, path)
    else:
        made.bundle.config["annotations"] = {"key": "value\udcff"}
        path = os.fsencode(made.bundle.path)
        text = json.dumps(made.bundle.config).replace("\\udcff", "\udcff").encode(errors="surrogateescape")
        with open(path + b"/config.json", "wb") as file:
            file.write(text)
    runtime = made.runtime
    runtime.ok(argv=[os.fsencode(word) for word in runtime.argv("create", "-b")] + [path, os.fsencode(made.id)])
    for document in (runtime.ok("state", made.id), runtime.ok("list", "--format", "json")):
        assert "\ufffd" in document.stdout_bytes.decode()  # strictly
        assert json.loads(document.stdout_bytes)


def test_state_needs_an_id(runtime):
    assert runtime.fails("state").stdout.find('"id"') == -1


def test_list_of_nothing_is_empty(runtime):
    assert json.loads(runtime.ok("list", "--format", "json").stdout) in (None, [])
    assert runtime.ok("list", "-q").stdout == ""


def test_list_has_runcs_table(container):
    made = container("sleep", "100").up()
    header, row = made.runtime.ok("list").stdout.splitlines()
    assert header.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    id_, pid, status, bundle, created, *owner = row.split()
    assert (id_, int(pid), status, bundle) == (made.id, made.pid, "running", made.bundle.path)
    assert re.fullmatch(RFC3339, created)
    assert owner in (["root"], [])


def test_lists_columns_are_aligned(container):
    made = [container("sleep", "100").create() for _ in range(2)]
    lines = made[0].runtime.ok("list").stdout.splitlines()
    for column in ("PID", "STATUS", "BUNDLE"):
        start = lines[0].index(column)
        assert all(line[start - 1] == " " and line[start] != " " for line in lines[1:])


def test_list_json_has_every_container_with_states_fields(container):
    one, two = container("sleep", "100").create(), container("sleep", "100").up()
    listed = {entry["id"]: entry for entry in one.runtime.list()}
    assert set(listed) == {one.id, two.id}
    assert (listed[one.id]["status"], listed[two.id]["status"]) == ("created", "running")
    for made in (one, two):
        state = made.state()
        for key in ("ociVersion", "id", "pid", "status", "bundle", "rootfs", "created"):
            assert listed[made.id][key] == state[key]
        assert listed[made.id]["owner"] == "root"


def test_list_quiet_prints_ids_alone(container):
    one, two = container("sleep", "100").create(), container("sleep", "100").create()
    assert sorted(one.runtime.ok("list", "--quiet").stdout.split()) == sorted([one.id, two.id])


def test_list_shows_a_stopped_container(container):
    made = container("true").up()
    made.wait()
    (entry,) = made.runtime.list()
    assert (entry["status"], entry["pid"]) == ("stopped", 0)


def test_list_refuses_an_unknown_format(runtime, container):
    container("sleep", "100").create()
    assert "format" in runtime.fails("list", "--format", "yaml").stderr


def test_a_state_root_of_its_own_shows_only_its_own(container, runtime, workdir):
    container("sleep", "100").create()
    other = runtime.ok(argv=[runtime.command, "--root", f"{workdir}/other", "list", "-q"])
    assert other.stdout == ""


def test_the_state_root_is_private(container):
    made = container("sleep", "100").create()
    assert os.stat(made.runtime.root).st_mode & 0o077 & ~0o011 == 0


def test_the_default_root(container):
    """Podman and buildah give no --root."""
    made = container("sleep", "100")
    made.bundle.write()
    command, environment = made.runtime.command, made.runtime.environment
    root = "/run/runlxc" if made.runtime.is_ours else "/run/runc"
    try:
        made.runtime.ok(argv=[command, "create", "--bundle", made.bundle.path, made.id])
        assert os.path.isdir(f"{root}/{made.id}")
        listed = made.runtime.ok(argv=[command, "list", "-q"]).stdout.split()
        assert made.id in listed
    finally:
        subprocess.run([command, "delete", "--force", made.id], env=environment, timeout=30, check=True)
    assert not os.path.exists(f"{root}/{made.id}")


@pytest.mark.limit(90)
def test_two_hundred_containers_are_listed(container, runtime):
    made = {container("sleep", "100").create().id for _ in range(200)}
    assert {entry["id"] for entry in runtime.list()} == made
    assert [line.split()[0] for line in runtime.ok("list").stdout.splitlines()[1:]] == sorted(made)
    assert {line.split()[2] for line in runtime.ok("list").stdout.splitlines()[1:]} == {"created"}
    for id_ in made:
        runtime.ok("delete", "--force", id_)
    assert runtime.list() == []


@pytest.mark.ours
def test_one_that_is_damaged_among_many_is_named(container, runtime):
    made = [container("sleep", "100").create() for _ in range(130)]
    made[77].stop()
    with open(f"{runtime.root}/{made[77].id}/state.json", "w", encoding="ascii") as file:
        file.write("{")
    runtime("list").assert_refused(f"{made[77].id}/state.json", "corrupt")
