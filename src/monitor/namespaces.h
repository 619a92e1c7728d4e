/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a namespace is joined by path, liblxc unshares the cgroup namespace in any case, whatever
 * lxc.namespace.clone says; it calls this program's unshare().
 */
#ifndef RUNLXC_MONITOR_NAMESPACES_H
#define RUNLXC_MONITOR_NAMESPACES_H

/* The value of lxc.namespace.clone: what isn't in it isn't unshared. */
void namespaces_only(const char *wanted);

#endif
