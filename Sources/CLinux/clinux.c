#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int epoll, int operation, int descriptor, uint32_t events, uint64_t tag) {
  struct epoll_event event = {.events = events, .data.u64 = tag};
  return epoll_ctl(epoll, operation, descriptor, &event);
}

int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t tag) {
  return control(epoll, EPOLL_CTL_ADD, descriptor, events, tag);
}

int clinux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t tag) {
  return control(epoll, EPOLL_CTL_MOD, descriptor, events, tag);
}

int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t timeout_ns) {
  struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
  int count = epoll_pwait2(epoll, events, capacity, timeout_ns < 0 ? NULL : &timeout, NULL);
  if (count < 0 && errno == ENOSYS) {  // Linux before 5.11: whole milliseconds, rounded up
    int64_t milliseconds = (timeout_ns + 999999) / 1000000;
    count = epoll_wait(epoll, events, capacity, timeout_ns < 0 ? -1 : milliseconds > 60000 ? 60000 : (int)milliseconds);
  }
  return count < 0 && errno == EINTR ? 0 : count;
}

int clinux_connect_ipv4(uint32_t source, uint32_t address, uint16_t port) {
  int one = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
  int failed = setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (!failed && source) {
    failed = setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) ||
             bind(descriptor, (struct sockaddr *)&from, sizeof from);
  }
  if (!failed) failed = connect(descriptor, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS;
  if (failed) {
    int reason = errno;
    close(descriptor);
    errno = reason;
    return -1;
  }
  return descriptor;
}

int clinux_socket_error(int descriptor) {
  int reason = 0;
  socklen_t size = sizeof reason;
  return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &reason, &size) ? errno : reason;
}

void clinux_keep_large_blocks_apart(int bytes) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, bytes);
#else
  (void)bytes;
#endif
}

ptrdiff_t clinux_find(const void *haystack, size_t haystack_bytes, const void *needle, size_t needle_bytes) {
  const char *found = memmem(haystack, haystack_bytes, needle, needle_bytes);
  return found ? found - (const char *)haystack : -1;
}
