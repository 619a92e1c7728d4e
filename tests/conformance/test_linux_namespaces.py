# SPDX-License-Identifier: Apache-2.0
"""config-linux.md: namespaces, user namespace mappings."""

import os

import pytest

from clauses import NAMESPACES, clause, each
from lib import system

# A container whose root and mounts are the host's own, or another's, is refused: no type of namespace is one that a
# runtime must support, but a value that it does not support must be an error ("Valid values").
REFUSED = ("mount",)
KINDS = [kind for kind in NAMESPACES if kind not in REFUSED]


def with_new(made, kind):
    if kind == "user":
        made.bundle.user_namespace()
    else:
        made.bundle.with_namespace(kind)
    return made


def without(made, kind):
    made.bundle.without_namespace(kind)
    if kind == "uts":
        del made.bundle.config["hostname"]
    return made


@clause("namespace-path-absolute")
@pytest.mark.parametrize("path", ["proc/self/ns/net", "./net", "net"], ids=repr)
def test_a_path_that_is_not_absolute_is_an_error(container, refused, path):
    made = container("true")
    made.bundle.with_namespace("network", path)
    refused(made)


@pytest.mark.parametrize("kind", each(KINDS, "namespace-path-{}"))
def test_the_process_is_in_the_namespace_of_the_path(container, kind):
    first = with_new(container("sleep", "100"), kind).up()
    second = container("sleep", "100")
    if kind == "user":
        second.bundle.user_namespace()  # its root belongs to whom that namespace maps
        del second.bundle.linux["uidMappings"], second.bundle.linux["gidMappings"]
    without(second, kind).bundle.with_namespace(kind, f"/proc/{first.pid}/ns/{NAMESPACES[kind]}")
    second.up()
    name = NAMESPACES[kind]
    assert system.namespace(second.pid, name) == system.namespace(first.pid, name) != system.namespace("self", name)


@clause("namespace-path-mount")
def test_a_mount_namespace_of_another_is_refused(container, refused):
    first = container("sleep", "100").up()
    made = container("true")
    made.bundle.with_namespace("mount", f"/proc/{first.pid}/ns/mnt").write()
    result = made.runtime.fails("create", "--bundle", made.bundle.path, made.id)
    result.assert_refused("linux.namespaces")
    made.runtime.fails("state", made.id)


@pytest.mark.parametrize("kind", each(NAMESPACES, "namespace-type-{}"))
def test_a_path_to_a_namespace_of_another_type_is_an_error(container, refused, kind):
    other = "net" if kind != "network" else "uts"
    made = without(container("true"), kind)
    refused(_with_path(made, kind, f"/proc/{os.getpid()}/ns/{other}"))


@pytest.mark.parametrize("kind", each(NAMESPACES, "namespace-type-{}"))
@pytest.mark.parametrize("path", ["/no/such/file", "/etc/passwd"])
def test_a_path_to_no_namespace_is_an_error(container, refused, kind, path):
    refused(_with_path(without(container("true"), kind), kind, path))


def _with_path(made, kind, path):
    made.bundle.with_namespace(kind, path)
    return made


@pytest.mark.parametrize("kind", each(NAMESPACES, "namespace-new-{}"))
def test_without_a_path_it_is_a_new_one(container, kind):
    made = with_new(container("sleep", "100"), kind).up()
    assert system.namespace(made.pid, NAMESPACES[kind]) != system.namespace("self", NAMESPACES[kind])


@pytest.mark.parametrize("kind", each(KINDS, "namespace-inherited-{}"))
def test_one_that_is_not_listed_is_the_runtimes(container, kind):
    made = without(container("sleep", "100"), kind).up()
    assert system.namespace(made.pid, NAMESPACES[kind]) == system.namespace("self", NAMESPACES[kind])


@clause("namespace-inherited-mount")
def test_the_runtimes_mount_namespace_is_refused(container, refused):
    refused(without(container("true"), "mount")).assert_refused("mount namespace")


@clause("namespace-duplicates")
@pytest.mark.parametrize("kind", NAMESPACES)
def test_a_type_that_is_there_twice_is_an_error(container, refused, kind):
    made = with_new(container("true"), kind)
    made.bundle.linux["namespaces"].append({"type": kind})
    refused(made)


@clause("mappings-required")
@pytest.mark.parametrize("field", ["containerID", "hostID", "size"])
def test_a_mapping_that_lacks_a_field_is_an_error(container, refused, field):
    made = container("cat", "/proc/self/uid_map")
    made.bundle.user_namespace()
    for mapping in (*made.bundle.linux["uidMappings"], *made.bundle.linux["gidMappings"]):
        del mapping[field]
    refused(made)
