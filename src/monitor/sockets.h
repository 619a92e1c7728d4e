/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LXC's command socket. liblxc binds it to an abstract name, which everyone in the network
 * namespace can connect to, and takes commands from any peer with uid 0: whoever can reach it is
 * handed descriptors of the host's cgroups, and from there on the host. A container that shares the
 * host's network and has uid 0 could (compare CVE-2020-15257).
 *
 * This program's bind() and accept() are what liblxc calls, since an executable's symbols come
 * before a library's.
 */
#ifndef RUNLXC_MONITOR_SOCKETS_H
#define RUNLXC_MONITOR_SOCKETS_H

/* For a monitor that nobody is to talk to: from here on an abstract name is replaced by one in
 * `dir` that is removed again at once, so that nothing can connect. */
void sockets_hide(int dir);

/* For one that LXC's tools are to talk to: only peers in our own mount and pid namespaces are
 * accepted, which no container is. */
void sockets_check_peers(void);

#endif
