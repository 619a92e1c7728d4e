/* SPDX-License-Identifier: Apache-2.0 */
#include "lxc/net_place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "lxc/visit.h"

struct request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	};
	char space[512]; /* no address has attributes of more */
};

/* ---- sockets ---- */

static int open_sockets(void *data)
{
	struct net_place *place = data;

	place->control = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	place->rtnetlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	return place->control < 0 || place->rtnetlink < 0 ? -1 : 0;
}

int net_place_open(struct net_place *place, const char *path)
{
	place->ns = open(path, O_RDONLY | O_CLOEXEC);
	return place->ns < 0 ? -1 : visit_network(place->ns, open_sockets, place);
}

void net_place_close(struct net_place *place)
{
	fd_close(fd_take(&place->ns));
	fd_close(fd_take(&place->control));
	fd_close(fd_take(&place->rtnetlink));
}

/* ---- devices, by netdevice(7) ---- */

static int ask(const struct net_place *place, unsigned long what, const char *name,
	       struct ifreq *request)
{
	*request = (struct ifreq){0};
	memcpy(request->ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	return ioctl(place->control, what, request) < 0 ? -1 : 0;
}

int net_place_find(const struct net_place *place, const char *name, unsigned int *index)
{
	struct ifreq request;

	if (ask(place, SIOCGIFINDEX, name, &request) < 0)
		return -1;
	*index = (unsigned int)request.ifr_ifindex;
	return 0;
}

int net_place_is_up(const struct net_place *place, const char *name, bool *up)
{
	struct ifreq request;

	if (ask(place, SIOCGIFFLAGS, name, &request) < 0)
		return -1;
	*up = request.ifr_flags & IFF_UP;
	return 0;
}

/* ---- rtnetlink(7) ---- */

static void put(struct request *request, unsigned short type, const void *data, size_t size)
{
	size_t start = NLMSG_ALIGN(request->header.nlmsg_len);
	struct rtattr *attribute = (struct rtattr *)(void *)((char *)request + start);

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), data, size);
	request->header.nlmsg_len = (uint32_t)(start + RTA_SPACE(size));
}

static ssize_t receive(const struct net_place *place, void *buffer, size_t size)
{
	ssize_t got;

	do
		got = recv(place->rtnetlink, buffer, size, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Sends one request and waits for its acknowledgement. */
static int submit(const struct net_place *place, struct request *request)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	union {
		struct nlmsghdr header;
		char space[8192];
	} answer;
	struct nlmsgerr *error = NLMSG_DATA(&answer.header);
	ssize_t got;

	request->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (sendto(place->rtnetlink, request, request->header.nlmsg_len, 0,
		   (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -1;
	got = receive(place, &answer, sizeof(answer));
	if (got < 0)
		return -1;
	if (got < (ssize_t)NLMSG_LENGTH(sizeof(*error)) ||
	    answer.header.nlmsg_type != NLMSG_ERROR) {
		errno = EPROTO;
		return -1;
	}
	errno = -error->error;
	return errno ? -1 : 0;
}

static struct request link_request(unsigned int index)
{
	return (struct request){.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
					   .nlmsg_type = RTM_SETLINK},
				.link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)index}};
}

int net_place_set_up(const struct net_place *place, unsigned int index)
{
	struct request request = link_request(index);

	request.link.ifi_flags = request.link.ifi_change = IFF_UP;
	return submit(place, &request);
}

int net_place_rename(const struct net_place *place, unsigned int index, const char *name)
{
	struct request request = link_request(index);

	put(&request, IFLA_IFNAME, name, strlen(name) + 1);
	return submit(place, &request);
}

int net_place_send(const struct net_place *from, unsigned int index, const struct net_place *to,
		   const char *name)
{
	struct request request = link_request(index);
	uint32_t ns = (uint32_t)to->ns;

	put(&request, IFLA_NET_NS_FD, &ns, sizeof(ns));
	put(&request, IFLA_IFNAME, name, strlen(name) + 1);
	return submit(from, &request);
}

/* ---- addresses ---- */

/* What IFA_FLAGS asks for; the others say how an address is. */
#define FLAGS_ASKED                                                                                \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE |            \
	 IFA_F_MCAUTOJOIN)

static uint32_t flags_of(const struct nlmsghdr *message)
{
	const struct ifaddrmsg *address = NLMSG_DATA(message);
	struct rtattr *attribute = IFA_RTA(address);
	unsigned int left = (unsigned int)IFA_PAYLOAD(message);
	uint32_t flags = address->ifa_flags;

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == IFA_FLAGS)
			memcpy(&flags, RTA_DATA(attribute), sizeof(flags));
	return flags;
}

static bool is_kept(const struct nlmsghdr *message, unsigned int index)
{
	const struct ifaddrmsg *address = NLMSG_DATA(message);

	return message->nlmsg_type == RTM_NEWADDR && address->ifa_index == index &&
	       address->ifa_scope == RT_SCOPE_UNIVERSE && flags_of(message) & IFA_F_PERMANENT;
}

static int keep(struct net_addresses *addresses, const struct nlmsghdr *message)
{
	size_t size = NLMSG_ALIGN(message->nlmsg_len);
	char *all = realloc(addresses->messages, addresses->size + size);

	if (!all)
		return -1;
	memset(all + addresses->size, 0, size);
	memcpy(all + addresses->size, message, message->nlmsg_len);
	addresses->messages = all;
	addresses->size += size;
	return 0;
}

int net_place_read_addresses(const struct net_place *place, unsigned int index,
			     struct net_addresses *addresses)
{
	struct request request = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
					     .nlmsg_type = RTM_GETADDR,
					     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
				  .address = {.ifa_family = AF_UNSPEC}};
	cleanup_free void *buffer = malloc(1 << 16);

	if (!buffer || send(place->rtnetlink, &request, request.header.nlmsg_len, 0) < 0)
		return -1;
	for (;;) {
		struct nlmsghdr *message = buffer;
		ssize_t left = receive(place, buffer, 1 << 16);

		if (left < 0)
			return -1;
		for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_type == NLMSG_DONE)
				return 0;
			if (message->nlmsg_type == NLMSG_ERROR) {
				errno = -((struct nlmsgerr *)NLMSG_DATA(message))->error;
				return -1;
			}
			if (is_kept(message, index) && keep(addresses, message) < 0)
				return -1;
		}
	}
}

static int add_address(const struct net_place *place, unsigned int index,
		       const struct nlmsghdr *message)
{
	const struct ifaddrmsg *old = NLMSG_DATA(message);
	struct rtattr *attribute = IFA_RTA(old);
	unsigned int left = (unsigned int)IFA_PAYLOAD(message);
	uint32_t flags = flags_of(message) & FLAGS_ASKED;
	struct request request = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
					     .nlmsg_type = RTM_NEWADDR,
					     .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL},
				  .address = *old};

	request.address.ifa_index = index;
	request.address.ifa_flags = (unsigned char)flags;
	/* Not its label, which begins with the old name, nor its age. */
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == IFA_ADDRESS || attribute->rta_type == IFA_LOCAL ||
		    attribute->rta_type == IFA_BROADCAST || attribute->rta_type == IFA_RT_PRIORITY)
			put(&request, attribute->rta_type, RTA_DATA(attribute),
			    RTA_PAYLOAD(attribute));
	put(&request, IFA_FLAGS, &flags, sizeof(flags));
	return submit(place, &request);
}

int net_place_add_addresses(const struct net_place *place, unsigned int index,
			    const struct net_addresses *addresses)
{
	const struct nlmsghdr *message = addresses->messages;
	size_t left = addresses->size;

	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
		if (add_address(place, index, message) < 0 && errno != EEXIST)
			return -1;
	return 0;
}
