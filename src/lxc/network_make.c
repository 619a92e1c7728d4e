/* SPDX-License-Identifier: Apache-2.0 */
/* A new network namespace, made while liblxc is at work: the kernel takes longer for it than for
 * all others together. */
#include "lxc/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/message.h"
#include "base/thread.h"

struct making {
	int ns, error;
};

static int bring_loopback_up(void)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	return fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);
}

/* On a thread that ends with it, so that nobody else in this process is ever in another namespace.
 * Safe with all of root's rights: the namespace is empty, and nobody else is in it. */
static void *make(void *data)
{
	struct making *making = data;

	if (unshare(CLONE_NEWNET) == 0)
		making->ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (making->ns >= 0 && bring_loopback_up() == 0)
		return NULL;
	making->error = errno;
	fd_close(fd_take(&making->ns));
	return NULL;
}

/* Who is to come back needs rights over the namespace that it leaves. The root of a user namespace
 * has none where that is the host's, and isn't told whose it is. */
static bool has_a_way_back(void)
{
	cleanup_close int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	cleanup_close int owner = own < 0 ? -1 : ioctl(own, NS_GET_USERNS);

	return owner >= 0;
}

/* A filter may refuse either call; LXC itself needs none of them. */
bool network_may_follow(const struct lxc_request *request)
{
	return (!request->in_user_namespace || has_a_way_back()) && syscall(SYS_unshare, 0) == 0 &&
	       setns(-1, CLONE_NEWNET) < 0 && errno == EBADF;
}

int lxc_network_make(struct error *err)
{
	struct making making = {.ns = -1};
	pthread_t thread;
	int error = thread_create(&thread, make, &making);

	/* What went wrong in the thread is known when it has ended. */
	if (!error) {
		pthread_join(thread, NULL);
		error = making.error;
	}
	if (making.ns < 0)
		return error_errno(err, error,
				   "linux.namespaces: Failed to make a network namespace");
	return making.ns;
}

int lxc_monitor_give_network(struct lxc_monitor *monitor, int ns, struct error *err)
{
	/* One that has ended left the reason in its log, and init will not be heard of. */
	if (message_send(monitor->control, "", 1, &ns, 1) < 0 && errno != EPIPE &&
	    errno != ECONNRESET)
		return error_errno(err, errno, "Failed to reach LXC's monitor");
	return 0;
}
