/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's cgroup that systemd has made, as that of a scope. It ends with its last process, so
 * that this monitor is in it until the container's first process is. And where LXC is to begin
 * making any other.
 */
#ifndef RUNLXC_MONITOR_SCOPE_H
#define RUNLXC_MONITOR_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The container's cgroup ("/system.slice/NAME.scope") is there already, and was made for it: from
 * here on liblxc, which takes none that exists, believes that it has made it. With `cgroups` it
 * believes that these are its own, for it begins at its own and in all hierarchies that it has one
 * in: lines of /proc/self/cgroup. The strings must stay. `cgroup` is NULL where only that is
 * wanted. */
void scope_take(const char *cgroup, const char *cgroups);

/* From here on liblxc believes that of a cgroup only that is delegated which cgroup/delegated.c
 * looks at. */
void scope_is_delegated(void);

/* From here on liblxc believes that it has switched on controllers below the cgroups it comes by:
 * one with processes in it refuses that. */
void scope_hand_nothing_down(void);

/* Of a monitor that is kept: it moves into `own`, as liblxc wants, when its child is in the scope.
 * The string must stay. */
void scope_leave_later(const char *own);

/* Whether a cgroup that could not be made is the one that was. */
bool scope_is_taken(int directory, const char *name);

/* Whether the path of a directory ends with the first `length` bytes of `end`. In whatever
 * hierarchy: before that is its mount point. */
bool scope_ends(int directory, const char *end, size_t length);

/* What openat2(2) is to give liblxc instead of `path`; -1 with errno 0: what it asks for. */
int scope_open(int directory, const char *path);

/* After a clone(2) with these flags that gave a child. */
void scope_has_child(uint64_t flags);

#endif
