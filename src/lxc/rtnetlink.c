/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two requests of ours to rtnetlink(7). By netlink and not by /sys: what is mounted there may
 * belong to another network namespace, or be read-only.
 */
#include "lxc/network.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

struct answer {
	struct nlmsghdr header;
	struct nlmsgerr error;
};

/* Sends one request and waits for its acknowledgement. */
static int request(struct nlmsghdr *header)
{
	cleanup_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	union {
		struct answer answer;
		char space[4096];
	} buffer;
	ssize_t got;

	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (fd < 0 || sendto(fd, header, header->nlmsg_len, 0, (struct sockaddr *)&kernel,
			     sizeof(kernel)) < 0)
		return -1;
	do
		got = recv(fd, &buffer, sizeof(buffer), 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	if (got < (ssize_t)sizeof(buffer.answer) ||
	    buffer.answer.header.nlmsg_type != NLMSG_ERROR) {
		errno = EPROTO;
		return -1;
	}
	errno = -buffer.answer.error.error;
	return errno ? -1 : 0;
}

int rtnetlink_set_hairpin(unsigned int index)
{
	/* IFLA_PROTINFO { IFLA_BRPORT_MODE } for AF_BRIDGE: the port's settings in its bridge. */
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
		struct nlattr port;
		struct nlattr mode;
		unsigned char on, padding[3];
	} message = {
	    .header = {.nlmsg_len = sizeof(message), .nlmsg_type = RTM_SETLINK},
	    .link = {.ifi_family = AF_BRIDGE, .ifi_index = (int)index},
	    .port = {.nla_len = sizeof(struct nlattr) * 2 + 4,
		     .nla_type = IFLA_PROTINFO | NLA_F_NESTED},
	    .mode = {.nla_len = sizeof(struct nlattr) + 1, .nla_type = IFLA_BRPORT_MODE},
	    .on = 1,
	};

	return request(&message.header);
}

int rtnetlink_delete(unsigned int index)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} message = {
	    .header = {.nlmsg_len = sizeof(message), .nlmsg_type = RTM_DELLINK},
	    .link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)index},
	};

	return request(&message.header);
}
